import type { Scene } from '../paths/scene.ts';

/** Sessions come and go, so that what the username keeps ready while it is in use is there: its lanes are open. */
export async function useUsername(scene: Scene): Promise<void> {
  for (let n = 0; n < 64; n++) await scene.leave(await scene.join(scene.username));
}
