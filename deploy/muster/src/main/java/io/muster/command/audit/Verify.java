// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Verifies an export or a receipt. */
@Command(
        name = "verify",
        description = {
            "Verifies an export of the record, or a receipt. Names each record that was changed, removed, inserted or"
                    + " moved. Needs no database and no network."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:the record is intact", "1:it is not", "2:wrong usage, or a file that cannot be read"})
final class Verify implements Callable<Integer> {

    private static final int NOT_INTACT = 1;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "what GET /api/v1/audit/export or .../receipt answered")
    private Path file;

    @Option(
            names = "--keys",
            required = true,
            paramLabel = "KEYS",
            description = "what GET /.well-known/seal-keys.json answered, from a time when you trusted it")
    private Path keys;

    @Override
    public Integer call() {
        var out = spec.commandLine().getOut();
        try (InputStream in = Files.newInputStream(file)) {
            ExportVerifier verifier = new ExportVerifier(PublicKeys.read(keys), fault -> out.println(fault));
            ExportVerifier.Result result = verifier.verify(in);
            out.println(result);
            return result.isIntact() ? 0 : NOT_INTACT;
        } catch (PublicKeys.UnusableException e) {
            throw new ParameterException(spec.commandLine(), keys + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new ParameterException(spec.commandLine(), "cannot read " + e.getMessage(), e);
        }
    }
}
