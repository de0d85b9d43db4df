/** Owners: users claim devices, and a device may register with its user's token. */
package io.muster.ownership;
