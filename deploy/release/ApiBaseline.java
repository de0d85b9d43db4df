import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import jdk.internal.org.objectweb.asm.ClassReader;
import jdk.internal.org.objectweb.asm.ClassVisitor;
import jdk.internal.org.objectweb.asm.ClassWriter;
import jdk.internal.org.objectweb.asm.FieldVisitor;
import jdk.internal.org.objectweb.asm.MethodVisitor;
import jdk.internal.org.objectweb.asm.Opcodes;

/**
 * Writes what people can program against of a jar: its public and protected signatures, without code. JDK 17, whose own reader of classes
 * it uses: {@code java --add-exports java.base/jdk.internal.org.objectweb.asm=ALL-UNNAMED ApiBaseline.java from.jar to.jar}.
 */
final class ApiBaseline {

    private static final int VISIBLE = Opcodes.ACC_PUBLIC | Opcodes.ACC_PROTECTED;

    public static void main(String[] args) throws IOException {
        Path to = Path.of(args[1]);
        Files.createDirectories(to.toAbsolutePath().getParent());
        int classes = 0;
        try (JarFile jar = new JarFile(args[0]);
                OutputStream out = Files.newOutputStream(to);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.setLevel(9);
            List<JarEntry> entries = jar.stream()
                    .filter(entry -> entry.getName().endsWith(".class"))
                    .sorted((one, other) -> one.getName().compareTo(other.getName()))
                    .toList();
            for (JarEntry entry : entries) {
                byte[] signatures;
                try (InputStream in = jar.getInputStream(entry)) {
                    ClassReader reader = new ClassReader(in);
                    if ((reader.getAccess() & VISIBLE) == 0) {
                        continue;
                    }
                    ClassWriter writer = new ClassWriter(0);
                    reader.accept(
                            new Signatures(writer),
                            ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
                    signatures = writer.toByteArray();
                }
                ZipEntry copy = new ZipEntry(entry.getName());
                // the same bytes from the same classes
                copy.setTimeLocal(java.time.LocalDateTime.of(1980, 1, 1, 0, 0));
                zip.putNextEntry(copy);
                zip.write(signatures);
                zip.closeEntry();
                classes++;
            }
        }
        System.out.println(to + ": " + classes + " classes, " + Files.size(to) + " bytes");
    }

    private static final class Signatures extends ClassVisitor {

        Signatures(ClassVisitor to) {
            super(Opcodes.ASM8, to);
        }

        /** Sealed types, which this ASM has under a name of its own. */
        @Override
        @SuppressWarnings("deprecation")
        public void visitPermittedSubclassExperimental(String permitted) {
            cv.visitPermittedSubclassExperimental(permitted);
        }

        @Override
        public FieldVisitor visitField(int access, String name, String type, String signature, Object value) {
            // The one private field that others can notice: it says which serialized objects fit.
            boolean kept = (access & VISIBLE) != 0 || name.equals("serialVersionUID");
            return kept ? super.visitField(access, name, type, signature, value) : null;
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String name, String type, String signature, String[] exceptions) {
            return (access & VISIBLE) == 0 ? null : super.visitMethod(access, name, type, signature, exceptions);
        }
    }
}
