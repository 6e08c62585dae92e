import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { packLibTorch, packRoot } from '../../scripts/release/pack.js';
import {
  BUILD_TOOLS,
  bareEnvironment,
  install,
  npmProgram,
  reachableBuildTools,
  runNode,
  slateProblem,
  writeConsumers,
} from '../install/consumer.js';
import { TOOLS, startRegistry, type Registry } from '../install/registry.js';
import { stagePrebuild } from '../install/stage-prebuild.js';
import { temporaryFolder } from '../support/temporary-folder';

const root = path.resolve(__dirname, '../..');
// Whether to skip has to be known before the tests are listed, so it is asked of another process.
const problem = execFileSync(process.execPath, [path.join(root, 'test/install/registry.js')], {
  encoding: 'utf8',
  env: { ...process.env, NODE_OPTIONS: '' },
}).trim();
if (problem) process.stderr.write(`test/package/registry.test.ts is skipped: ${problem}\n`);

const folder = temporaryFolder();
const consumer = path.join(folder, 'consumer');
const installed = path.join(consumer, 'node_modules/feedrank');
const env = bareEnvironment(folder, process.execPath);
const run = (...args: string[]) => runNode(args, { cwd: consumer, env });
let registry: Registry | undefined;
let tarball: string;

function manifest(): { version: string; exports: Record<string, unknown> } {
  return JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8')) as ReturnType<
    typeof manifest
  >;
}

/** Publishes what would be published, and installs it where there is nothing but Node.js. */
async function publishAndInstall(): Promise<void> {
  const prebuilds = stagePrebuild(path.join(folder, 'prebuilds'));
  const libtorch = await packLibTorch({ out: path.join(root, 'release') });
  tarball = await packRoot({ prebuilds, out: path.join(folder, 'packed') });
  for (const name of ['registry', 'consumer']) fs.mkdirSync(path.join(folder, name));
  registry = await startRegistry(path.join(folder, 'registry'), [libtorch, tarball]);
  const { url } = registry;
  await install({ folder: consumer, manager: 'npm', program: npmProgram(), url, env });
}

(problem ? describe.skip : describe)('the packages, installed by npm from a registry', () => {
  beforeAll(publishAndInstall, 240_000);
  afterAll(() => registry?.stop());

  test('were installed without a compiler, CMake or Python, and without scripts', () => {
    expect(BUILD_TOOLS).toEqual(expect.arrayContaining(['g++', 'cmake', 'python3']));
    expect(reachableBuildTools(env)).toEqual([]);
    expect(fs.readdirSync(path.join(folder, 'bin'))).toEqual(['node']);
    const lock = fs.readFileSync(path.join(consumer, 'package-lock.json'), 'utf8');
    expect(lock).not.toContain('hasInstallScript');
  });

  test('load the LibTorch of the platform package', async () => {
    const loader = JSON.stringify(path.join(installed, 'lib/load-addon.js'));
    const printed = await run(
      '-e',
      `const { loadAddon, loadedLibTorch } = require(${loader}); loadAddon();
       console.log(loadedLibTorch().source);`,
    );
    expect(printed).toBe('the package @feedrank/libtorch-linux-x64-gnu');
  });

  test('run the example of the README as CommonJS, as a module and as TypeScript', async () => {
    const scripts = await writeConsumers(consumer);
    expect(scripts).toHaveLength(4);
    for (const name of scripts)
      expect([name, slateProblem(await run(name))]).toEqual([name, undefined]);
  });

  test('give their command, which tells its version and what building needs', async () => {
    const command = path.join(consumer, 'node_modules/.bin/feedrank');
    expect(await run(command, '--version')).toBe(manifest().version);
    await expect(run(command, 'build')).rejects.toThrow(
      /feedrank: BUILD_FAILED: a C\+\+ compiler is missing; install it with: .*; cmake is missing; /,
    );
  });

  test('say what was tried and what mends it where the platform package was left out', async () => {
    const platform = path.join(consumer, 'node_modules/@feedrank');
    fs.renameSync(platform, `${platform}-aside`);
    try {
      const printed = await run(
        '-e',
        `require('feedrank').Catalog.create({ ids: 'string' }).catch((e) => console.log(e.code, e.message));`,
      );
      expect(printed).toMatch(/^ADDON_LOAD_FAILED .*LibTorch was not found\nTried:\n/);
      expect(printed).toContain(
        'the package @feedrank/libtorch-linux-x64-gnu: it is not installed',
      );
      expect(printed).toMatch(/To mend it: npm install @feedrank\/libtorch-linux-x64-gnu@\S+$/);

      // Anywhere else its libraries do as well, when they are named.
      const named = path.join(`${platform}-aside`, 'libtorch-linux-x64-gnu');
      const elsewhere = { ...env, FEEDRANK_LIBTORCH: named };
      const slate = await runNode(['plain.cjs'], { cwd: consumer, env: elsewhere });
      expect(slateProblem(slate)).toBeUndefined();
    } finally {
      fs.renameSync(`${platform}-aside`, platform);
    }
  });

  describe('when a service is bundled as docs/bundling.md says', () => {
    const page = fs.readFileSync(path.join(root, 'docs/bundling.md'), 'utf8');
    const blocks = [...page.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)];

    beforeAll(() => {
      for (const [, name, text] of blocks) fs.writeFileSync(path.join(consumer, name!), text!);
      for (const name of ['esbuild', '@esbuild']) {
        fs.symlinkSync(
          path.join(TOOLS, 'node_modules', name),
          path.join(consumer, 'node_modules', name),
        );
      }
    });

    test('the bundle holds the service alone, and runs beside the installed package', async () => {
      expect(blocks.map(([, name]) => name)).toEqual([
        'slate-text.mjs',
        'service.mjs',
        'bundle.mjs',
      ]);
      await run('bundle.mjs');
      const bundle = path.join(consumer, 'dist/service.mjs');
      expect(fs.readFileSync(bundle, 'utf8')).toContain('function slateText(');
      expect(fs.statSync(bundle).size).toBeLessThan(2000);
      expect(await run(bundle)).toMatch(/^just-now -\d\.\d\nyesterday -\d\.\d$/);
    });

    test.each([
      ['cjs', 'ADDON_LOAD_FAILED', 'no build of it was found'],
      ['esm', 'Dynamic require of "node:path" is not supported', ''],
    ])('a bundle of everything fails as the page says: %s', async (format, ...expected) => {
      const source = path.join(consumer, 'whole-source.mjs');
      const bundle = path.join(consumer, 'whole', 'out', `whole.${format === 'esm' ? 'm' : 'c'}js`);
      fs.writeFileSync(
        source,
        `import { Catalog } from 'feedrank';
         Catalog.create({ ids: 'string' }).catch((e) => { console.error(e.code, e.message); process.exit(1); });`,
      );
      await run(
        path.join(consumer, 'node_modules/esbuild/bin/esbuild'),
        ...[source, '--bundle', '--platform=node', `--format=${format}`, `--outfile=${bundle}`],
      );
      const message = await run(bundle).catch((error: Error) => error.message);
      for (const text of expected) {
        expect(message).toContain(text);
        expect(page).toContain(text);
      }
    });
  });

  test('pass publint without a remark', () => {
    const printed = execFileSync(
      process.execPath,
      [path.join(TOOLS, 'node_modules/publint/src/cli.js'), 'run', tarball, '--strict'],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    expect(printed).toContain('All good!');
  });

  test('have types that Node.js and bundlers find, from CommonJS and from modules', () => {
    const printed = execFileSync(
      process.execPath,
      [
        path.join(TOOLS, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
        // Every supported Node.js reads "exports", which Node.js 10 did not.
        ...[tarball, '--profile', 'node16', '--no-color', '--no-emoji'],
      ],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
    );
    // It fails by its exit status; this tells that it has looked at every entry.
    const { exports } = manifest();
    expect(Object.keys(exports).length).toBeGreaterThanOrEqual(3);
    for (const entry of Object.keys(exports)) {
      expect(printed).toContain(`"${path.posix.join('feedrank', entry)}"`);
    }
  });
});
