import Box from '@cloudscape-design/components/box';
import Link from '@cloudscape-design/components/link';
import { follow } from '../shell/location.ts';
import { addressOf } from '../shell/places.ts';

export default function NotFound() {
  return (
    <Box textAlign="center" padding="xxl">
      <Box variant="h1">There is nothing here</Box>
      <Box variant="p">The address is none of this console.</Box>
      <Link href={addressOf({ page: 'deployments' })} onFollow={follow}>
        All deployments
      </Link>
    </Box>
  );
}
