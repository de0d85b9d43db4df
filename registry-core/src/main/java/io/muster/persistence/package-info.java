/**
 * The database: pool, migrations, EclipseLink, transactions. The registry manages it itself, so that one unchanged WAR
 * runs on every server. Start with {@link io.muster.persistence.Database}. The feature packages know what their tables
 * mean.
 */
package io.muster.persistence;
