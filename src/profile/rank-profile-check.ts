// @ts-nocheck
// Generated from rank-profile.ts by scripts/generate-profile-check.js; not to be edited.
import type { RankProfile } from './rank-profile';

const check = (() => {
const local_0 = /^(.*)$/
const local_1 = /^(.*)$/
function check_RankProfile(value) {
  return (
    (typeof value === 'object' && value !== null && !Array.isArray(value)) &&
    (value['name'] !== undefined ? ((typeof value['name'] === 'string') && value['name'].length <= 100 && value['name'].length >= 1) : true) &&
    (value['extends'] !== undefined ? ((typeof value['extends'] === 'string')) : true) &&
    (value['tauMs'] !== undefined ? (Number.isFinite(value['tauMs']) && value['tauMs'] > 0) : true) &&
    (value['negativeDots'] !== undefined ? ((((value['negativeDots'] === 'decay')) || ((value['negativeDots'] === 'keep')) || ((value['negativeDots'] === 'drop')))) : true) &&
    (value['retrieval'] !== undefined ? ((((value['retrieval'] === 'exact')) || ((value['retrieval'] === 'approximate')))) : true) &&
    (value['retrievalEffort'] !== undefined ? (Number.isFinite(value['retrievalEffort']) && value['retrievalEffort'] <= 1 && value['retrievalEffort'] >= 0) : true) &&
    (value['maxCandidates'] !== undefined ? (Number.isInteger(value['maxCandidates']) && value['maxCandidates'] <= 100000 && value['maxCandidates'] >= 1) : true) &&
    (value['quotas'] !== undefined ? ((typeof value['quotas'] === 'object' && value['quotas'] !== null && !Array.isArray(value['quotas']) && !(value['quotas'] instanceof Date) && !(value['quotas'] instanceof Uint8Array)) && (Object.entries(value['quotas']).every(([key, value]) => (local_0.test(key) ? (Number.isInteger(value) && value <= 100000 && value >= 0) : true)))) : true) &&
    (value['maxAgeMs'] !== undefined ? (Number.isFinite(value['maxAgeMs']) && value['maxAgeMs'] > 0) : true) &&
    (value['maxReports'] !== undefined ? (Number.isFinite(value['maxReports']) && value['maxReports'] >= 0) : true) &&
    (value['maxReportRate'] !== undefined ? (Number.isFinite(value['maxReportRate']) && value['maxReportRate'] >= 0) : true) &&
    (value['maxHideRate'] !== undefined ? (Number.isFinite(value['maxHideRate']) && value['maxHideRate'] >= 0) : true) &&
    (value['seenAfterImpressions'] !== undefined ? (Number.isInteger(value['seenAfterImpressions']) && value['seenAfterImpressions'] <= 65535 && value['seenAfterImpressions'] >= 0) : true) &&
    (value['limit'] !== undefined ? (Number.isInteger(value['limit']) && value['limit'] <= 10000 && value['limit'] >= 1) : true) &&
    (value['perAuthor'] !== undefined ? (Number.isInteger(value['perAuthor']) && value['perAuthor'] <= 2147483647 && value['perAuthor'] >= 0) : true) &&
    (value['perTopic'] !== undefined ? (Number.isInteger(value['perTopic']) && value['perTopic'] <= 2147483647 && value['perTopic'] >= 0) : true) &&
    (value['authorSpacing'] !== undefined ? (Number.isInteger(value['authorSpacing']) && value['authorSpacing'] <= 10000 && value['authorSpacing'] >= 0) : true) &&
    (value['topicSpacing'] !== undefined ? (Number.isInteger(value['topicSpacing']) && value['topicSpacing'] <= 10000 && value['topicSpacing'] >= 0) : true) &&
    (value['diversity'] !== undefined ? (Number.isFinite(value['diversity']) && value['diversity'] <= 1 && value['diversity'] >= 0) : true) &&
    (value['exposure'] !== undefined ? (Array.isArray(value['exposure']) && value['exposure'].length <= 8 && ((array) => { for(const value of array) if(!(((typeof value === 'object' && value !== null && !Array.isArray(value)) && (typeof value['group'] === 'string') && value['group'].length <= 200 && value['group'].length >= 1 && (typeof value['value'] === 'string') && value['value'].length <= 200 && value['value'].length >= 1 && Number.isFinite(value['share']) && value['share'] <= 1 && value['share'] >= 0 && (value['tolerance'] !== undefined ? (Number.isFinite(value['tolerance']) && value['tolerance'] <= 1 && value['tolerance'] >= 0) : true) && Object.getOwnPropertyNames(value).every(key => ['group', 'value', 'share', 'tolerance'].includes(key))))) { return false }; return true; })(value['exposure'])) : true) &&
    (value['headWeights'] !== undefined ? ((typeof value['headWeights'] === 'object' && value['headWeights'] !== null && !Array.isArray(value['headWeights']) && !(value['headWeights'] instanceof Date) && !(value['headWeights'] instanceof Uint8Array)) && (Object.entries(value['headWeights']).every(([key, value]) => (local_1.test(key) ? (Number.isFinite(value) && value <= 1e+100 && value >= -1e+100) : true)))) : true) &&
    (value['budgetMs'] !== undefined ? (Number.isFinite(value['budgetMs']) && value['budgetMs'] > 0) : true) &&
    (value['budgetPercentile'] !== undefined ? (Number.isFinite(value['budgetPercentile']) && value['budgetPercentile'] <= 99.9 && value['budgetPercentile'] >= 50) : true) &&
    (value['smallerBundle'] !== undefined ? ((typeof value['smallerBundle'] === 'string') && value['smallerBundle'].length <= 200 && value['smallerBundle'].length >= 1) : true) &&
    (value['shadowBundle'] !== undefined ? ((typeof value['shadowBundle'] === 'string') && value['shadowBundle'].length <= 200 && value['shadowBundle'].length >= 1) : true) &&
    (value['maxAnswerAgeMs'] !== undefined ? (Number.isFinite(value['maxAnswerAgeMs']) && value['maxAnswerAgeMs'] >= 0) : true) &&
    (value['stageBudgetMs'] !== undefined ? (Number.isFinite(value['stageBudgetMs']) && value['stageBudgetMs'] > 0) : true) &&
    Object.getOwnPropertyNames(value).every(key => ['name', 'extends', 'tauMs', 'negativeDots', 'retrieval', 'retrievalEffort', 'maxCandidates', 'quotas', 'maxAgeMs', 'maxReports', 'maxReportRate', 'maxHideRate', 'seenAfterImpressions', 'limit', 'perAuthor', 'perTopic', 'authorSpacing', 'topicSpacing', 'diversity', 'exposure', 'headWeights', 'budgetMs', 'budgetPercentile', 'smallerBundle', 'shadowBundle', 'maxAnswerAgeMs', 'stageBudgetMs'].includes(key))
  )
}
return function check(value) {
  return check_RankProfile(value)
}
})();

/** @internal */
export function isRankProfile(value: unknown): value is RankProfile {
  return check(value);
}
