// As AWS's runtime for Java: calls METHOD(InputStream, OutputStream) of the handler CLASS::METHOD.

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class AWSLambda {
    public static void main(String[] arguments) throws Exception {
        String[] handler = arguments[0].split("::");
        Class<?> type = Class.forName(handler[0]);
        var method = type.getMethod(handler[1], InputStream.class, OutputStream.class);
        Object function = type.getConstructor().newInstance();
        String invocations = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest next = HttpRequest.newBuilder(URI.create(invocations + "next")).build();
        while (true) {
            var event = client.send(next, BodyHandlers.ofByteArray());
            String id = event.headers().firstValue("Lambda-Runtime-Aws-Request-Id").orElseThrow();
            var answer = new ByteArrayOutputStream();
            method.invoke(function, new ByteArrayInputStream(event.body()), answer);
            HttpRequest response = HttpRequest.newBuilder(URI.create(invocations + id + "/response"))
                    .POST(BodyPublishers.ofByteArray(answer.toByteArray()))
                    .build();
            client.send(response, BodyHandlers.discarding());
        }
    }
}
