/**
 * The database, managed by the registry itself so that one unchanged WAR runs on every server: pool, migrations, EclipseLink,
 * transactions. Start with {@link io.muster.persistence.Database}. Which tables mean what is the business of the features.
 */
package io.muster.persistence;
