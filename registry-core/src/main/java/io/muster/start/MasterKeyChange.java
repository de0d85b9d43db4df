// SPDX-License-Identifier: Apache-2.0
package io.muster.start;

import io.muster.cdi.Part;
import io.muster.credential.BrokerLogins;
import io.muster.job.Jobs;
import io.muster.persistence.Database;
import io.muster.persistence.MasterKey;
import io.muster.record.SealKeys;
import io.muster.token.SigningKeys;
import io.muster.verification.hmac.EnrolmentKeys;
import io.muster.webhook.Webhooks;
import jakarta.inject.Inject;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Encrypts under the first key of the master key file what its second key encrypted. */
@Part
final class MasterKeyChange {

    private static final Logger LOG = LoggerFactory.getLogger(MasterKeyChange.class);

    private final Database database;
    private final MasterKey master;

    @Inject
    MasterKeyChange(Database database, MasterKey master) {
        this.database = database;
        this.master = master;
    }

    /** Does it, if the file has two keys. */
    void run() {
        if (!master.isBeingChanged()) {
            return;
        }
        LOG.info("muster.master-key-file has two keys: encrypting everything under the first one");
        long signing = SigningKeys.SEALED.reseal(database, master);
        long enrolment = EnrolmentKeys.SEALED.reseal(database, master);
        long logins = BrokerLogins.SEALED.reseal(database, master);
        long webhooks = Webhooks.SEALED.reseal(database, master);
        long seals = SealKeys.PRIVATE.reseal(database, master) + SealKeys.SALT.reseal(database, master);
        long jobs = Jobs.SEALED.reseal(database, master);
        LOG.info(
                "Encrypted under the first key of muster.master-key-file: {} signing keys, {} enrolment keys, {} logins"
                        + " of brokers, {} secrets of webhooks, {} secrets of seals, {} keys of jobs."
                        + " Remove the second key when every node has started with this file",
                signing,
                enrolment,
                logins,
                webhooks,
                seals,
                jobs);
    }
}
