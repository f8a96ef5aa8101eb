/** What NGSI-LD answers, as far as pages read it. */

/** An attribute in the normalized form. */
export interface AttributeAnswer {
  type: string;
  value?: unknown;
  object?: unknown;
  languageMap?: unknown;
  vocab?: unknown;
  json?: unknown;
  valueList?: unknown;
  objectList?: unknown;
  unitCode?: string;
  observedAt?: string;
  datasetId?: string;
}

export interface EntityAnswer {
  id?: string;
  type?: string | string[];
  [name: string]: unknown;
}

/** A type as `/types?details=true` lists it. */
export interface TypeAnswer {
  typeName: string;
  attributeNames: string[];
}

/** A type as `/types/{type}` tells of it. */
export interface TypeInfoAnswer {
  typeName: string;
  entityCount: number;
  attributeDetails: { attributeName: string; attributeTypes: string[] }[];
}

/** A subscription as `/subscriptions` shows it. */
export interface SubscriptionAnswer {
  id: string;
  subscriptionName?: string;
  status: 'active' | 'paused' | 'expired';
  notification: {
    endpoint: { uri: string };
    status?: 'ok' | 'failed';
    timesSent?: number;
    timesFailed?: number;
    lastNotification?: string;
    /** Why the last one failed. */
    failure?: string;
  };
}
