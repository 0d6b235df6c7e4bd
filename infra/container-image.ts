// Names of container images, as far as a task must be able to pull them.

export type ContainerImageName =
  /** Of a registry that asks for no credentials. */
  | { readonly kind: 'public' }
  /** Of a private registry of ECR: who pulls it needs rights on the repository. */
  | {
      readonly kind: 'ecr';
      readonly account: string;
      readonly region: string;
      readonly repository: string;
      /** Its tag, or `sha256:` and its digest. */
      readonly version: string;
    };

const part = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
/** `[host[:port]/]path[:tag]`, or `[host[:port]/]path@sha256:<digest>`. */
const form = new RegExp(
  `^(?:[a-z0-9][a-z0-9.-]*(?::\\d+)?/)?${part}(?:/${part})*(?::\\w[\\w.-]{0,127}|@sha256:[0-9a-f]{64})?$`,
);
const privateEcr = new RegExp(
  `^(\\d{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com/(${part}(?:/${part})*)(?:[:@](.+))?$`,
);
/** Other addresses of the same registries. */
const otherEcr = /^[^/]*(\.amazonaws\.com(\.cn)?|\.on\.aws)\//;

export const imageForms =
  'a public image, or <account>.dkr.ecr.<region>.amazonaws.com/<repository>, with :<tag> or @sha256:<64 hexadecimal digits>';

/** Undefined for what is no image, or one of ECR by an address that no rights could be derived from. */
export function parseImageName(image: string): ContainerImageName | undefined {
  if (!form.test(image)) return undefined;
  const [, account, region, repository, version = 'latest'] = privateEcr.exec(image) ?? [];
  if (account !== undefined && region !== undefined && repository !== undefined)
    return { kind: 'ecr', account, region, repository, version };
  return otherEcr.test(image) ? undefined : { kind: 'public' };
}
