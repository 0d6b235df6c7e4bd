import type { DeploymentId, SignerId, Username } from '../../domain/ids.ts';
import type { Ms } from '../../domain/time.ts';
import type { Change, Missing, Stale } from '../settings/settings.ts';

/** A public key that verifies signatures [RFC 7517]; nothing of it is secret. */
export interface PublicKey {
  readonly kty: 'RSA' | 'EC' | 'OKP';
  readonly kid?: string;
  readonly alg?: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
}

export const audienceClaims = ['aud', 'client_id'] as const;
export type AudienceClaim = (typeof audienceClaims)[number];

/** Whose signed tokens a deployment takes in the place of an MQTT password. */
export interface TokenIssuer {
  /** Equal to the token's `iss`. */
  readonly issuer: string;
  /** Among the token's `aud`, or equal to its `client_id`. */
  readonly audience: string;
  /** Where the token says whom it is for. Access tokens of Cognito carry `client_id`, and no `aud`. */
  readonly audienceClaim: AudienceClaim;
  /** The claim that equals the MQTT username. */
  readonly usernameClaim: string;
  readonly keys: readonly PublicKey[];
}

export interface TokenIssuerInput extends Omit<TokenIssuer, 'keys'> {
  /** Where the keys come from: given, or to be fetched. */
  readonly source:
    | { readonly kind: 'keys'; readonly keys: readonly PublicKey[] }
    | { readonly kind: 'url'; readonly jwksUrl: string };
}

export interface StoredTokenIssuer extends TokenIssuer {
  /** Undefined where the keys were given. */
  readonly jwksUrl: string | undefined;
  /** When the keys were fetched, or given. */
  readonly keysReadAt: Ms;
  /** Grows with every change, across delete and re-create; fetching keys again is none. */
  readonly version: number;
  readonly updatedAt: Ms;
}

export type MissingIssuer = Missing | { readonly kind: 'missing'; readonly what: 'token_issuer' };

/**
 * One token issuer a deployment. Every change writes its audit record in the same atomic step (S18); one that would
 * change nothing writes nothing. Read consistently. Throws StoreUnavailable where the database does not answer.
 */
export interface TokenIssuerStore {
  getTokenIssuer(id: DeploymentId): Promise<StoredTokenIssuer | undefined>;
  putTokenIssuer(
    id: DeploymentId,
    issuer: TokenIssuer & { readonly jwksUrl: string | undefined },
    change: Change,
  ): Promise<PutIssuer>;
  deleteTokenIssuer(id: DeploymentId, change: Change): Promise<{ readonly kind: 'done' } | MissingIssuer | Stale>;
  /** Deployments whose keys are fetched, in order of their id, after `after`, at most `limit`. */
  listFetched(page: { readonly limit: number; readonly after?: DeploymentId }): Promise<readonly DeploymentId[]>;
  /** Replaces fetched keys, unless the issuer or its keys were changed since `seen` was read. */
  replaceKeys(
    id: DeploymentId,
    seen: Pick<StoredTokenIssuer, 'version' | 'keysReadAt'>,
    fetched: { readonly keys: readonly PublicKey[]; readonly at: Ms },
  ): Promise<'done' | 'changed'>;
}

/** What a right token says of its connection. */
export interface Vouched {
  /** The token ends then, and the connection with it. */
  readonly validUntil: Ms;
  readonly signedBy: SignerId;
}

/** Verifies a signed token given as an MQTT password. Never throws, never fetches anything. */
export interface TokenCheck {
  /** Undefined for whatever is not a token of this issuer for the username now. */
  verify(password: Uint8Array, issuer: TokenIssuer, username: Username, now: Ms): Promise<Vouched | undefined>;
}

/**
 * The keys that an issuer is accepted by. A key is known by what it is, not by its `kid`; the same key under another
 * issuer is another signer.
 */
export type SignersOf = (issuer: Pick<TokenIssuer, 'issuer' | 'keys'>) => ReadonlySet<SignerId>;

export type PutIssuer =
  | {
      readonly kind: 'done';
      readonly value: StoredTokenIssuer;
      readonly created: boolean;
      /** What the write replaced. */
      readonly before: StoredTokenIssuer | undefined;
    }
  | Missing
  | Stale;

export type FetchedKeys =
  /** The document as it came: JSON, and nothing else is known of it. */
  | { readonly kind: 'fetched'; readonly document: unknown }
  /** Not an https URL of a public address. */
  | { readonly kind: 'refused' }
  /** No answer in time, a redirect, an error, too much of it, or no JSON. `problem` is for the tenant to read. */
  | { readonly kind: 'failed'; readonly problem: string };

/**
 * One answer for a name that does not resolve, an address inside, and silence: a tenant must not learn from it which
 * names the resolver of this installation knows, and where they point.
 */
export const jwksUrlUnreachable =
  'jwksUrl must be an https URL of a public address that answers, with a certificate that can be trusted, in time';

/** Fetches what a tenant's URL names, from https and public addresses only. Bounded in time and size; never throws. */
export interface KeyFetcher {
  fetchKeys(url: string): Promise<FetchedKeys>;
}
