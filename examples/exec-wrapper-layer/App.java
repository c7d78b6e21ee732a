// A Lambda function that returns the requested environment variables: {"names": [...]}.
// It is for trying things out: anyone who can invoke it can read the secrets.

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

public class App {
    private static final Pattern STRING_IN_LIST = Pattern.compile("\"([^\"\\\\]*)\"\\s*[,\\]]");

    public void handleRequest(InputStream event, OutputStream response) throws IOException {
        String names = new String(event.readAllBytes(), StandardCharsets.UTF_8);
        String environment = STRING_IN_LIST.matcher(names).results()
                .map(name -> name.group(1))
                .map(name -> quoted(name) + ": " + quoted(System.getenv(name)))
                .collect(Collectors.joining(", ", "{\"environment\": {", "}}"));
        response.write(environment.getBytes(StandardCharsets.UTF_8));
    }

    /** A JSON string, or null. */
    private static String quoted(String text) {
        if (text == null) {
            return "null";
        }
        return text.chars()
                .mapToObj(c -> c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", c) : Character.toString(c))
                .collect(Collectors.joining("", "\"", "\""));
    }
}
