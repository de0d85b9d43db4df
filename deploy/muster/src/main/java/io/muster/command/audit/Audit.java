// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import picocli.CommandLine.Command;

/** The commands about the record of decisions. */
@Command(
        name = "audit",
        description = "Verifies the record of decisions.",
        mixinStandardHelpOptions = true,
        subcommands = Verify.class,
        synopsisSubcommandLabel = "verify")
public final class Audit {}
