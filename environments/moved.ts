/**
 * Addresses that moved since they were first released: Terraform takes along what they name instead of destroying it. One list
 * for all environments; an entry whose `from` a state does not know does nothing, and stays until every state has seen it.
 * Source: https://developer.hashicorp.com/terraform/language/modules/develop/refactoring
 */
export const MOVED: readonly { readonly from: string; readonly to: string }[] = [];
