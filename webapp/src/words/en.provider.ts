/** The words of the city's own sign-in. */
export const providerWords = {
  signIn: (title: string) => `Sign in with ${title}`,
  /** Why nobody was let in, by what the server puts into the address. */
  refused: {
    refused: 'The city’s sign-in did not let you in, or you said no there. Try again, or sign in here.',
    late: 'That took too long, or was answered already. Begin again.',
    wrong: 'What the city’s sign-in answered does not hold, so nobody was let in. Begin again; if it stays so, tell whoever runs this installation: its log says what was wrong.',
    unreachable: 'The city’s sign-in does not answer. Try again in a moment, or sign in here.',
    unknown: 'The city knows you, and this installation does not yet. An administrator can make you an account; sign in to it and link it under My account.',
    taken: 'There is an account of that name already, or this one is linked to another. If it is yours, sign in to it here and link it under My account.',
    disabled: 'Your account here is shut out. An administrator can let it in again.',
    'no-role': 'None of your groups gives a role here. Ask for one where your groups are kept.',
  } as Record<string, string>,
  title: (provider: string) => `Sign-in with ${provider}`,
  lead: 'Come in without another password. Your account is linked to you as the city knows you, not to a name or an e-mail address.',
  linkedSince: (at: string) => `Linked since ${at}.`,
  link: 'Link my account',
  unlink: 'Unlink my account',
  unlinked: 'Your account is not linked any more.',
};
