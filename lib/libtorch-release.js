'use strict';

/**
 * The one LibTorch release that feedrank is built and tested with, and the versions it accepts.
 */

/** Version of the release that `fetch-libtorch` brings. */
const VERSION = '2.13.0';

/** Name of the folder that holds this release in the per-user cache. */
const CACHE_NAME = `libtorch-${VERSION}-cpu`;

/** Package that carries LibTorch's libraries for Linux on x64 with glibc. */
const PLATFORM_PACKAGE = '@feedrank/libtorch-linux-x64-gnu';

/** Version of that package. One that is packed anew of the same release counts on: 2.13.0-1. */
const PLATFORM_PACKAGE_VERSION = VERSION;

/** The wheel that the libraries and headers are taken from. */
const WHEEL = {
  requirement: `torch==${VERSION}+cpu`,
  pythonVersion: '3.11',
  platform: 'manylinux_2_28_x86_64',
  sha256: '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
  /** The publisher's own index of CPU builds, asked when pip's configured one has none. */
  index: 'https://download.pytorch.org/whl/cpu',
  bytes: 192_000_000,
  unpackedBytes: 520_000_000,
};

/**
 * Splits a version such as `2.13.0+cpu`.
 * @param {string} version
 * @returns {[number, number] | undefined} major and minor
 */
function majorMinor(version) {
  const match = /^(\d+)\.(\d+)/.exec(version);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

/**
 * Tells whether users may run this version: releases before 2.13 have a known vulnerability in
 * loading scripted models (CVE-2025-3000), and a later minor release has another C++ ABI.
 * @param {string} version
 */
function isSupported(version) {
  const parts = majorMinor(version);
  return parts !== undefined && parts[0] === 2 && parts[1] === 13;
}

/**
 * Tells whether the sources compile against this version. Only an explicit FEEDRANK_LIBTORCH may
 * name one that is not also supported.
 * @param {string} version
 */
function isCompilable(version) {
  const parts = majorMinor(version);
  return parts !== undefined && parts[0] === 2 && parts[1] >= 11;
}

module.exports = {
  VERSION,
  CACHE_NAME,
  PLATFORM_PACKAGE,
  PLATFORM_PACKAGE_VERSION,
  WHEEL,
  majorMinor,
  isSupported,
  isCompilable,
};
