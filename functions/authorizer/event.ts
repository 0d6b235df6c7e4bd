// IoT Core's custom authorizer event and answer, as AWS sends and takes them. Every part of the event may be missing:
// the published types promise more than the service does.

/** https://docs.aws.amazon.com/iot/latest/developerguide/custom-auth-lambda.html */
export interface AuthorizerEvent {
  readonly token?: string;
  readonly signatureVerified?: boolean;
  readonly protocols?: readonly string[];
  readonly protocolData?: {
    readonly tls?: { readonly serverName?: string };
    readonly http?: { readonly headers?: Readonly<Record<string, string>>; readonly queryString?: string };
    readonly mqtt?: {
      /** With its suffix. */
      readonly username?: string;
      /** Base64. */
      readonly password?: string;
      readonly clientId?: string;
    };
  };
  readonly connectionMetadata?: { readonly id?: string };
}

export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

export interface AuthorizerAnswer {
  readonly isAuthenticated: boolean;
  /** `[a-zA-Z0-9]{1,128}` */
  readonly principalId?: string;
  /** 300 to 86,400. */
  readonly disconnectAfterInSeconds?: number;
  /** 300 to 86,400. */
  readonly refreshAfterInSeconds?: number;
  /** At most 10 documents of at most 2,048 characters. */
  readonly policyDocuments?: readonly string[];
}
