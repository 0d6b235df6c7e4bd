// A time in the viewer's zone, with UTC on hover.

const inZone = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function When({ at }: { readonly at: string | undefined }) {
  if (at === undefined) return <>–</>;
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return <>{at}</>;
  return (
    <time dateTime={at} title={`${time.toISOString().replace('T', ' ').replace('Z', '')} UTC`} className="when">
      {inZone.format(time)}
    </time>
  );
}
