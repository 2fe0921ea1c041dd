using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>Inference over a real server, by both versions of HTTP.</summary>
internal sealed class RestInferTests
{
    private RestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() =>
        _server = await RestServer.StartAsync(options => options.MaxTensorBytes = 1 << 20);

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [TestCase("BOOL", "[true,false,1,0]", "[true,false,true,false]")]
    [TestCase("UINT8", "[0,255]", "[0,255]")]
    [TestCase("UINT16", "[0,65535]", "[0,65535]")]
    [TestCase("UINT32", "[0,4294967295]", "[0,4294967295]")]
    [TestCase("UINT64", "[0,18446744073709551615]", "[0,18446744073709551615]")]
    [TestCase("INT8", "[-128,127]", "[-128,127]")]
    [TestCase("INT16", "[-32768,32767]", "[-32768,32767]")]
    [TestCase("INT32", "[-2147483648,2147483647]", "[-2147483648,2147483647]")]
    [TestCase("INT64", "[-9223372036854775808,9223372036854775807]", "[-9223372036854775808,9223372036854775807]")]
    [TestCase("FP16", "[1.5,-65504,\"NaN\"]", "[1.5,-65504,\"NaN\"]")]
    [TestCase("FP32", "[0.1,1e-3,\"Infinity\",\"-Infinity\"]", "[0.1,0.001,\"Infinity\",\"-Infinity\"]")]
    [TestCase("FP64", "[0.1,1e300,\"NaN\"]", "[0.1,1E+300,\"NaN\"]")]
    [TestCase("BF16", "[1.5,-2,1.00390625]", "[1.5,-2,1]")]
    [TestCase("BYTES", "[\"a\",\"\",\"\\u00e9\\n\"]", "[\"a\",\"\",\"\\u00E9\\n\"]")]
    public async Task Every_type_is_read_from_JSON_and_written_back(string type, string data, string expected)
    {
        int count = JsonNode.Parse(data)!.AsArray().Count;
        string json = $$"""{"inputs":[{"name":"in","shape":[{{count}}],"datatype":"{{type}}","data":{{data}}}]}""";
        foreach (HttpClient client in (HttpClient[])[_server.Client, _server.Client2])
        {
            using HttpResponseMessage answer = await PostAsync(client, "echo_" + type, json);
            Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo(
                $$"""{"model_name":"echo_{{type}}","model_version":"1","outputs":[{"name":"out","datatype":"{{type}}","shape":[{{count}}],"data":{{expected}}}]}"""));
        }
    }

    [TestCase("UINT8", "256")]
    [TestCase("UINT8", "-1")]
    [TestCase("INT8", "1.5")]
    [TestCase("INT64", "9223372036854775808")]
    [TestCase("FP16", "70000")]
    [TestCase("FP32", "1e39")]
    [TestCase("BF16", "3.4e38")]
    [TestCase("FP64", "1e400")]
    [TestCase("FP32", "\"1\"")]
    [TestCase("FP32", "null")]
    [TestCase("FP32", "NaN")]
    [TestCase("FP32", "{}")]
    [TestCase("BOOL", "2")]
    [TestCase("BYTES", "1")]
    [TestCase("BYTES", "\"\\ud800\"")]
    public async Task An_element_that_does_not_fit_its_type_gets_400(string type, string element)
    {
        string json = $$"""{"inputs":[{"name":"in","shape":[1],"datatype":"{{type}}","data":[{{element}}]}]}""";
        await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostAsync(_server.Client, "echo_" + type, json));
    }

    [TestCase("""{"inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","data":[[1,2,3],[4,5,6]]}]}""")]
    [TestCase("""{"inputs":[{"data":[[1,2,3],[4,5,6]],"shape":[2,3],"datatype":"FP32","name":"in"}]}""")]
    [TestCase(
        """{"model_name":"x","inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6],"parameters":{"mine":1}}],"outputs":[]}""")]
    public async Task Elements_may_be_nested_or_flat_and_properties_in_any_order(string json)
    {
        using HttpResponseMessage answer = await PostAsync(_server.Client, "matrix/versions/1", json);
        Assert.That(await answer.Content.ReadAsStringAsync(),
            Does.EndWith("""[{"name":"out","datatype":"FP32","shape":[2,3],"data":[1,2,3,4,5,6]}]}"""));
    }

    [TestCase("", "no body")]
    [TestCase("[]", "expected an object")]
    [TestCase("{", "not valid JSON at line 1")]
    [TestCase("{}x", "not valid JSON")]
    [TestCase("{}", "no 'inputs'")]
    [TestCase("""{"inputs":[]}""", "'in' is missing")]
    [TestCase("""{"inputs":[1]}""", "expected an object, got a number")]
    [TestCase("""{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32"}]}""", "got neither")]
    [TestCase(
        """{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,2,3],"parameters":{"binary_data_size":12}}]}""", "got both")]
    [TestCase("""{"inputs":[{"name":"in","shape":[1,3],"data":[1,2,3]}]}""", "has no 'datatype'")]
    [TestCase("""{"inputs":[{"name":"on","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""", "no input 'on'")]
    [TestCase("""{"inputs":[{"name":"in","name":"in","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""", "given twice")]
    [TestCase(
        """{"inputs":[{"name":"in","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}""", "expected shape [-1, 3], got [1, 4]")]
    [TestCase(
        """{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP64","data":[1,2,3]}]}""", "expected datatype FP32, got FP64")]
    [TestCase("""{"inputs":[{"name":"in","shape":[1,3],"datatype":"F32","data":[1,2,3]}]}""", "unknown datatype 'F32'")]
    [TestCase(
        """{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,2]}]}""", "expected 3 elements (shape [1, 3]), got 2")]
    [TestCase("""{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,2,3,4]}]}""", "got more")]
    [TestCase(
        """{"inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","data":[[1,2],[3,4,5,6]]}]}""", "expected arrays of 3 at depth 2")]
    [TestCase("""{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,[2,3]]}]}""", "nested as its shape")]
    [TestCase("""{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[[[1,2,3]]]}]}""", "nested as its shape")]
    [TestCase("""{"inputs":[{"name":"in","shape":[60000,3],"datatype":"FP32","data":[1]}]}""", "got fewer")]
    [TestCase("""{"inputs":[{"name":"in","shape":[-1,3],"datatype":"FP32","data":[1,2,3]}]}""", "whole numbers from 0")]
    [TestCase(
        """{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"inputs":[]}""", "'inputs' is given twice")]
    [TestCase("""{"parameters":{"sequence_id":1},"inputs":[]}""", "'sequence_id' is not supported")]
    [TestCase("""{"parameters":{"priority":-1},"inputs":[]}""", "expected 0 (default)")]
    [TestCase("""{"id":5,"inputs":[]}""", "'id': expected a string")]
    [TestCase("""{"outputs":[{"name":"o"}],"inputs":[]}""", "no output 'o'")]
    [TestCase("""{"outputs":[{"name":"out"},{"name":"out"}],"inputs":[]}""", "asked for twice")]
    public async Task A_wrong_request_gets_400_with_the_reason(string json, string reason) =>
        Assert.That(await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostAsync(_server.Client, "matrix", json)),
            Does.Contain(reason));

    [Test]
    public async Task A_tensor_above_the_limit_gets_413()
    {
        const string Json = """{"inputs":[{"name":"in","shape":[100000000,3],"datatype":"FP32","data":[1]}]}""";
        await ExpectErrorAsync(HttpStatusCode.RequestEntityTooLarge, await PostAsync(_server.Client, "matrix", Json));
    }

    [Test]
    public async Task Binary_tensors_come_and_go_behind_the_JSON()
    {
        const string Json = """
            {"id":"7","parameters":{"binary_data_output":true},"inputs":[
            {"name":"in1","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":11}},
            {"name":"in0","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}],
            "outputs":[{"name":"out0"},{"name":"out1","parameters":{"binary_data":false}}]}
            """;
        byte[] text = [1, 0, 0, 0, (byte)'x', 2, 0, 0, 0, (byte)'y', (byte)'z'];
        byte[] numbers = [0, 0, 128, 63, 0, 0, 0, 64];
        foreach (HttpClient client in (HttpClient[])[_server.Client, _server.Client2])
        {
            using HttpResponseMessage answer = await PostBinaryAsync(client, "two", Json, [.. text, .. numbers]);
            byte[] body = await answer.Content.ReadAsByteArrayAsync();
            int length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single(), null);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/octet-stream"));
                Assert.That(answer.Content.Headers.ContentLength, Is.EqualTo(body.Length));
                Assert.That(Encoding.UTF8.GetString(body, 0, length), Is.EqualTo(
                    """{"model_name":"two","model_version":"1","id":"7","outputs":[{"name":"out0","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}},{"name":"out1","datatype":"BYTES","shape":[2],"data":["x","yz"]}]}"""));
                Assert.That(body[length..], Is.EqualTo(numbers));
            }
        }
    }

    [Test]
    public async Task The_same_JSON_as_before_is_answered_by_what_it_says_and_the_new_elements()
    {
        static string Json(string id) =>
            $$$"""{"id":"{{{id}}}","parameters":{"binary_data_output":true},"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}]}""";

        foreach (string id in (string[])["a", "a", "b", "b", "a", "a"])
        {
            await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostBinaryAsync(_server.Client, "matrix", Json(id), [1, 2]));
            for (byte i = 0; i < 3; i++)
            {
                byte[] numbers = [i, 0, 128, 63, 0, i, 0, 64, 0, 0, i, 65];
                (string head, byte[] elements) = await AnswerAsync("matrix", Json(id), numbers);
                Assert.That(head, Is.EqualTo(
                    $$$"""{"model_name":"matrix","model_version":"1","id":"{{{id}}}","outputs":[{"name":"out","datatype":"FP32","shape":[1,3],"parameters":{"binary_data_size":12}}]}"""));
                Assert.That(elements, Is.EqualTo(numbers));
            }

            // Another model wants another shape.
            await ExpectErrorAsync(
                HttpStatusCode.BadRequest, await PostBinaryAsync(_server.Client, "echo_FP32", Json(id), new byte[12]));
        }

        const string Classes = """
            {"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}],
            "outputs":[{"name":"out","parameters":{"classification":1,"binary_data":true}}]}
            """;
        foreach ((float best, string told) in ((float, string)[])[(7, "7:0:a"), (7, "7:0:a"), (0.25f, "0.25:0:a"), (7, "7:0:a")])
        {
            byte[] numbers = [.. BitConverter.GetBytes(best), .. new byte[8]];
            (string head, byte[] elements) = await AnswerAsync("matrix", Classes, numbers);
            Assert.That(head, Does.EndWith($"\"parameters\":{{\"binary_data_size\":{told.Length + 4}}}}}]}}"));
            Assert.That(Encoding.UTF8.GetString(elements[4..]), Is.EqualTo(told));
        }

        async Task<(string Head, byte[] Elements)> AnswerAsync(string model, string json, byte[] bytes)
        {
            using HttpResponseMessage answer = await PostBinaryAsync(_server.Client, model, json, bytes);
            byte[] body = await answer.Content.ReadAsByteArrayAsync();
            int length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single(), null);
            return (Encoding.UTF8.GetString(body, 0, length), body[length..]);
        }
    }

    [Test]
    public async Task A_body_without_JSON_is_the_only_input()
    {
        byte[] bytes = new byte[24];
        using HttpResponseMessage answer = await PostBinaryAsync(_server.Client, "matrix", "", bytes);
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        int length = int.Parse(answer.Headers.GetValues("Inference-Header-Content-Length").Single(), null);
        Assert.That(
            Encoding.UTF8.GetString(body, 0, length), Does.Contain("\"shape\":[2,3],\"parameters\":{\"binary_data_size\":24}"));
        await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostBinaryAsync(_server.Client, "matrix", "", new byte[23]));
        await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostBinaryAsync(_server.Client, "two", "", new byte[8]));
    }

    [TestCase("1000000")]
    [TestCase("-1")]
    [TestCase("x")]
    [TestCase("5")]
    public async Task A_wrong_length_of_the_JSON_gets_400(string length)
    {
        using var content = new StringContent("""{"inputs":[]}""");
        content.Headers.Add("Inference-Header-Content-Length", length);
        await ExpectErrorAsync(HttpStatusCode.BadRequest,
            await _server.Client.PostAsync(new Uri("v2/models/matrix/infer", UriKind.Relative), content));
    }

    [Test]
    public async Task An_output_can_be_told_by_its_highest_classes()
    {
        const string Json = """
            {"inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","data":[0.5,2,2,7,"NaN",-1]}],
            "outputs":[{"name":"out","parameters":{"classification":2}}]}
            """;
        using HttpResponseMessage answer = await PostAsync(_server.Client, "matrix", Json);
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.EndWith(
            """{"name":"out","datatype":"BYTES","shape":[2,2],"data":["2:1:b","2:2:c","7:0:a","-1:2:c"]}]}"""));
    }

    [TestCase("gzip")]
    [TestCase("deflate")]
    public async Task Compressed_bodies_are_read_and_wrong_ones_get_400(string encoding)
    {
        byte[] json = Encoding.UTF8.GetBytes("""{"inputs":[{"name":"in","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""");
        byte[] compressed = Compress(json, encoding);
        using (HttpResponseMessage answer = await PostCompressedAsync(compressed, encoding))
        {
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }

        await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostCompressedAsync(json, encoding));
        await ExpectErrorAsync(HttpStatusCode.BadRequest, await PostCompressedAsync(compressed[..^12], encoding));
        await ExpectErrorAsync(HttpStatusCode.UnsupportedMediaType, await PostCompressedAsync(json, "br"));
    }

    [Test]
    public async Task A_large_answer_comes_whole()
    {
        float[] values = [.. Enumerable.Range(0, 30_000).Select(i => i / 7f)];
        string json =
            $$"""{"inputs":[{"name":"in","shape":[10000,3],"datatype":"FP32","data":{{JsonSerializer.Serialize(values)}}}]}""";
        foreach (HttpClient client in (HttpClient[])[_server.Client, _server.Client2])
        {
            using HttpResponseMessage answer = await PostAsync(client, "matrix", json);
            JsonNode body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.That(body["outputs"]![0]!["data"]!.Deserialize<float[]>(), Is.EqualTo(values));
        }
    }

    internal static async Task<string> ExpectErrorAsync(HttpStatusCode status, HttpResponseMessage answer)
    {
        using (answer)
        {
            string body = await answer.Content.ReadAsStringAsync();
            Assert.That(answer.StatusCode, Is.EqualTo(status), body);
            return JsonNode.Parse(body)!["error"]!.GetValue<string>();
        }
    }

    internal static async Task<HttpResponseMessage> PostAsync(HttpClient client, string model, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await client.PostAsync(new Uri($"v2/models/{model}/infer", UriKind.Relative), content);
    }

    internal static async Task<HttpResponseMessage> PostBinaryAsync(HttpClient client, string model, string json, byte[] bytes)
    {
        byte[] head = Encoding.UTF8.GetBytes(json);
        using var content = new ByteArrayContent([.. head, .. bytes]);
        content.Headers.Add("Inference-Header-Content-Length", head.Length.ToString((IFormatProvider?)null));
        return await client.PostAsync(new Uri($"v2/models/{model}/infer", UriKind.Relative), content);
    }

    private static byte[] Compress(byte[] bytes, string encoding)
    {
        using var memory = new MemoryStream();
        using (Stream stream = encoding == "gzip"
            ? new GZipStream(memory, CompressionMode.Compress)
            : new ZLibStream(memory, CompressionMode.Compress))
        {
            stream.Write(bytes);
        }

        return memory.ToArray();
    }

    private async Task<HttpResponseMessage> PostCompressedAsync(byte[] bytes, string encoding)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentEncoding.Add(encoding);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await _server.Client.PostAsync(new Uri("v2/models/matrix/infer", UriKind.Relative), content);
    }
}
