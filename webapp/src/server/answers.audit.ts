/** A line of the audit, as docs/reference/http-api.md writes it. */
export interface AuditLine {
  key: number;
  at: string;
  principal: string;
  action: string;
  subject: string;
  /** The entity of a device that it was done to. */
  entity: string | null;
  detail: Record<string, unknown>;
}
