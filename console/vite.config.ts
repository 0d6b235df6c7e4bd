import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * The design system has its fonts inside its style sheet. As files they are loaded when they are used, beside the page
 * rather than before it, and the Content-Security-Policy need not allow `data:`.
 */
function fontsAsFiles(): Plugin {
  return {
    name: 'fonts-as-files',
    generateBundle(_options, bundle) {
      for (const sheet of Object.values(bundle)) {
        if (sheet.type !== 'asset' || !sheet.fileName.endsWith('.css')) continue;
        const text = typeof sheet.source === 'string' ? sheet.source : new TextDecoder().decode(sheet.source);
        sheet.source = text.replaceAll(
          /url\(["']?data:font\/woff2;base64,([A-Za-z0-9+/=]+)["']?\)/g,
          (_all, base64: string) => {
            const source = Buffer.from(base64, 'base64');
            const file = this.emitFile({ type: 'asset', name: 'open-sans.woff2', source });
            return `url(/${this.getFileName(file)})`;
          },
        );
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), fontsAsFiles()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing is written into the page: the policy allows scripts and styles from files only.
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    chunkSizeWarningLimit: 1_500,
    // A polyfill would be a script in the page.
    modulePreload: { polyfill: false },
  },
});
