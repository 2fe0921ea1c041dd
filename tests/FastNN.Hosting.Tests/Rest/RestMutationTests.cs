using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>Requests that a seeded mutator has spoiled: each gets 200 or a 4xx with an error object, in time, and everything is
/// given back.</summary>
internal sealed class RestMutationTests
{
    private static readonly (string Model, string Json, int BinaryBytes)[] _valid =
    [
        ("matrix",
            """{"id":"1","inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","data":[[1,2,3],[4,5,6.5]]}],"outputs":[{"name":"out","parameters":{"classification":2}}]}""", 0),
        ("matrix",
            """{"parameters":{"binary_data_output":true,"timeout":9000000},"inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","parameters":{"binary_data_size":24}}]}""", 24),
        ("two",
            """{"inputs":[{"name":"in0","shape":[2],"datatype":"FP32","data":["NaN",-1e3]},{"name":"in1","shape":[2],"datatype":"BYTES","data":["a\u00e9","b"]}]}""", 0),
        ("two",
            """{"inputs":[{"name":"in1","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":10}},{"name":"in0","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}}],"outputs":[{"name":"out1","parameters":{"binary_data":true}}]}""", 18),
        ("echo_INT8", """{"inputs":[{"name":"in","shape":[4],"datatype":"INT8","data":[-128,0,1,127]}]}""", 0),
        ("echo_BOOL", """{"inputs":[{"data":[true,false],"name":"in","shape":[2],"datatype":"BOOL"}]}""", 0),
        ("matrix", "", 24),
    ];

    private static readonly string[] _pieces =
    [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud800", "null", "true", "-1", "1e999", "99999999999999999999", "2147483648",
        "NaN", "\0", "é", "\u00ff",
        "\"name\":", "\"data\":[", "\"shape\":[0]", "\"shape\":[4294967296,4294967296]",
        "\"binary_data_size\":9223372036854775807", "\"sequence_id\":1",
        "\"BYTES\"", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];

    [Test]
    public void Spoiled_requests_get_an_error_each_and_everything_is_given_back() => Run(3000);

    [Test]
    [Explicit("the whole corpus")]
    public void All_10000_spoiled_requests_get_an_error_each_and_everything_is_given_back() => Run(10_000);

    private static void Run(int count)
    {
        var random = new Random(20260101);
        FakeCatalog catalog = RestServer.Models();
        var options = new FastNNEndpointOptions { MaxRequestBytes = 1 << 16, MaxTensorBytes = 1 << 16 };
        Dictionary<string, InMemoryRequest> requests = _valid.Select(valid => valid.Model).Distinct().ToDictionary(
            model => model, model => new InMemoryRequest(catalog, model, options));
        int answered = 0, refused = 0;
        for (int i = 0; i < count; i++)
        {
            (string model, string json, int binary) = _valid[random.Next(_valid.Length)];
            byte[] head = Encoding.UTF8.GetBytes(json);
            byte[] tail = new byte[binary];
            if (binary == 18)
            {
                tail[0] = tail[5] = 1;
            }

            string? length = binary > 0 ? head.Length.ToString(CultureInfo.InvariantCulture) : null;
            byte[] body = [.. head, .. tail];
            for (int step = random.Next(4); step > 0; step--)
            {
                body = Mutate(body, random);
            }

            length = random.Next(10) == 0 ? MutateHeader(length, random) : length;
            InMemoryRequest request = requests[model];
            request.SegmentBytes = random.Next(3) == 0 ? 1 + random.Next(20) : int.MaxValue;
            request.Headers.Clear();
            if (length is not null)
            {
                request.Headers["Inference-Header-Content-Length"] = length;
            }

            if (random.Next(20) == 0)
            {
                request.Headers.ContentEncoding = random.Next(2) == 0 ? "gzip" : "deflate, gzip";
            }

            long begun = Stopwatch.GetTimestamp();
            Task task = request.SendAsync(body);
            string what = $"request {i}: {Encoding.Latin1.GetString(body)}";
            Assert.That(task.Wait(TimeSpan.FromSeconds(5)), Is.True, what);
            Assert.That(Stopwatch.GetElapsedTime(begun), Is.LessThan(TimeSpan.FromSeconds(5)), what);
            Assert.That(request.Status, Is.EqualTo(200).Or.InRange(400, 499), what);
            if (request.Status == 200)
            {
                answered++;
            }
            else
            {
                refused++;
                Assert.That(JsonNode.Parse(request.Answer)!["error"]!.GetValue<string>(), Is.Not.Empty, what);
            }

            Assert.That(catalog.Models.Sum(each => each.Live), Is.Zero, what);
        }

        // Both must come up often: else the mutator spoils everything, or nothing.
        Assert.That(answered, Is.GreaterThan(count / 10));
        Assert.That(refused, Is.GreaterThan(count / 3));
    }

    private static byte[] Mutate(byte[] body, Random random)
    {
        int at = random.Next(body.Length + 1);
        byte[] piece = Encoding.UTF8.GetBytes(_pieces[random.Next(_pieces.Length)]);
        int end = Math.Min(body.Length, at + 1 + random.Next(8));
        switch (random.Next(6))
        {
            case 0 when at < body.Length:
                byte[] flipped = [.. body];
                flipped[at] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1: return [.. body[..at], .. piece, .. body[at..]];
            case 2: return [.. body[..at], .. piece, .. body[end..]];
            case 3: return [.. body[..at], .. body[end..]];
            case 4: return body[..at];
            default: return [.. body[..end], .. body[at..]];
        }
    }

    private static string? MutateHeader(string? length, Random random) => random.Next(7) switch
    {
        0 => null,
        1 => "",
        2 => "-1",
        3 => "0",
        4 => "99999999999999999999",
        5 => "0x10",
        _ => random.Next(300).ToString(CultureInfo.InvariantCulture) + length?[..1],
    };
}
