// A Lambda function that returns the requested environment variables: {"names": [...]}.
// It is for trying things out: anyone who can invoke it can read the secrets.
//
// It talks to the Runtime API itself: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

public class Bootstrap {
    private static final Pattern STRING_IN_LIST = Pattern.compile("\"([^\"\\\\]*)\"\\s*[,\\]]");

    public static void main(String[] arguments) throws Exception {
        String invocations = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest next = HttpRequest.newBuilder(URI.create(invocations + "next")).build();
        while (true) {
            var event = client.send(next, BodyHandlers.ofString());
            String id = event.headers().firstValue("Lambda-Runtime-Aws-Request-Id").orElseThrow();
            HttpRequest response = HttpRequest.newBuilder(URI.create(invocations + id + "/response"))
                    .POST(BodyPublishers.ofString(handle(event.body())))
                    .build();
            client.send(response, BodyHandlers.discarding());
        }
    }

    private static String handle(String event) {
        return STRING_IN_LIST.matcher(event).results()
                .map(name -> name.group(1))
                .map(name -> quoted(name) + ": " + quoted(System.getenv(name)))
                .collect(Collectors.joining(", ", "{\"environment\": {", "}}"));
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
