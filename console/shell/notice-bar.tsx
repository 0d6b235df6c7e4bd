import Flashbar from '@cloudscape-design/components/flashbar';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import { useNotices } from '../state/notices.tsx';

export function NoticeBar() {
  const { notices, dismiss } = useNotices();
  return (
    <Flashbar
      items={notices.map(({ id, kind, text, progress }) => ({
        id,
        type: progress === undefined ? kind : ('in-progress' as const),
        content:
          progress === undefined ? (
            text
          ) : (
            <ProgressBar variant="flash" label={text} additionalInfo={progress.detail} value={progress.percent ?? 0} />
          ),
        dismissible: true,
        dismissLabel: 'Dismiss',
        onDismiss: () => dismiss(id),
      }))}
      i18nStrings={{
        ariaLabel: 'Notices',
        successIconAriaLabel: 'Success',
        errorIconAriaLabel: 'Error',
        warningIconAriaLabel: 'Warning',
        infoIconAriaLabel: 'Information',
        inProgressIconAriaLabel: 'In progress',
      }}
    />
  );
}
