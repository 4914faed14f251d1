/* SPDX-License-Identifier: Apache-2.0 */
import com.deskbell.DeskbellException;
import com.deskbell.ErrorCode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/** What the tests of the Java package share. */
final class Check {
        interface Test {
                void run() throws Exception;
        }

        private Check() {}

        static void that(boolean isSo, String what) {
                if (!isSo)
                        throw new AssertionError(what);
        }

        static void same(Object expected, Object found) {
                if (!Objects.equals(expected, found))
                        throw new AssertionError("found " + found + ", expected " + expected);
        }

        static void refused(ErrorCode error, Test call) throws Exception {
                try {
                        call.run();
                } catch (DeskbellException e) {
                        same(error, e.getError());
                        same(error.getCode(), e.getCode());
                        return;
                }
                throw new AssertionError("nothing was thrown, expected " + error);
        }

        static <T extends Throwable> T thrown(Class<T> kind, Test call) throws Exception {
                try {
                        call.run();
                } catch (Throwable e) {
                        if (kind.isInstance(e))
                                return kind.cast(e);
                        throw e;
                }
                throw new AssertionError("nothing was thrown, expected " + kind);
        }

        /** Runs it with an empty folder that goes afterwards. */
        interface WithFolder {
                void run(String folder) throws Exception;
        }

        static void inFolder(WithFolder test) throws Exception {
                Path folder = Files.createTempDirectory("deskbell-java-");
                try {
                        test.run(folder.toString());
                } finally {
                        try (Stream<Path> all = Files.walk(folder)) {
                                for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator)
                                        Files.deleteIfExists(path);
                        } catch (IOException | java.io.UncheckedIOException e) {
                                throw new AssertionError(e);
                        }
                }
        }

        /** How many global references the machine holds for native code. */
        static int globalReferences() throws JMException {
                Object threads = ManagementFactory.getPlatformMBeanServer().invoke(
                                new ObjectName("com.sun.management:type=DiagnosticCommand"), "threadPrint",
                                new Object[] {new String[0]}, new String[] {String[].class.getName()});
                Matcher found = Pattern.compile("JNI global refs: (\\d+)").matcher((String) threads);
                that(found.find(), "the machine does not tell its global references");
                return Integer.parseInt(found.group(1));
        }

        /** Runs all, or the one of that name; ends the process. */
        static void run(Map<String, Test> tests, String only) {
                int failed = 0;
                for (Map.Entry<String, Test> test : tests.entrySet()) {
                        if (only != null && !only.equals(test.getKey()))
                                continue;
                        try {
                                test.getValue().run();
                                System.out.println("ok   " + test.getKey());
                        } catch (Throwable e) {
                                failed++;
                                System.out.println("FAIL " + test.getKey() + ": " + e);
                                e.printStackTrace(System.out);
                        }
                }
                System.out.flush();
                System.exit(failed == 0 ? 0 : 1);
        }

        static Map<String, Test> tests() {
                return new LinkedHashMap<>();
        }
}
