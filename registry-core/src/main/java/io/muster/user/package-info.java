/**
 * Users: the customers of a device maker, whose accounts an outside OpenID provider keeps. {@link io.muster.user.User}
 * is one of them, and {@link io.muster.user.IdentityProviders} reads their tokens.
 */
package io.muster.user;
