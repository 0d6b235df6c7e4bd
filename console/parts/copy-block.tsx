import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';

/** A text to take along. `what` names it for who cannot see it beside the button. */
export function CopyBlock({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <div className="command">
      <pre>{text}</pre>
      <CopyToClipboard
        variant="icon"
        textToCopy={text}
        copyButtonAriaLabel={`Copy ${what}`}
        copySuccessText="Copied"
        copyErrorText="The browser did not let it be copied"
      />
    </div>
  );
}
