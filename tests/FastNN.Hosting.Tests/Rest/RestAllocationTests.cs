using System.Text;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>What the handler of inference requests allocates, the server aside.</summary>
internal sealed class RestAllocationTests
{
    private const string Json = """
        {"id":"42","parameters":{"binary_data_output":true,"priority":2,"timeout":5000000},
        "inputs":[{"name":"in","shape":[16,3],"datatype":"FP32","parameters":{"binary_data_size":192}}],"outputs":[{"name":"out"}]}
        """;

    [TestCase(int.MaxValue)]
    [TestCase(50)]
    public void A_binary_request_allocates_nothing_after_warm_up(int segmentBytes)
    {
        byte[] json = Encoding.UTF8.GetBytes(Json);
        byte[] body = [.. json, .. new byte[192]];
        var request = new InMemoryRequest(RestServer.Models(), "matrix") { SegmentBytes = segmentBytes };
        request.Headers["Inference-Header-Content-Length"] = json.Length.ToString((IFormatProvider?)null);
        Assert.That(Measure(request, body), Is.EqualTo(SegmentsAlone(body, segmentBytes)));
        Assert.That(request.Status, Is.EqualTo(200));
        Assert.That(request.Answer[^192..].ToArray(), Is.EqualTo(new byte[192]));
        Assert.That(request.BodyIsReleased, Is.True);
    }

    [Test]
    public void A_body_without_JSON_allocates_nothing_after_warm_up()
    {
        var request = new InMemoryRequest(RestServer.Models(), "matrix");
        request.Headers["Inference-Header-Content-Length"] = "0";
        Assert.That(Measure(request, new byte[192]), Is.Zero);
        Assert.That(request.Status, Is.EqualTo(200));
    }

    [Test]
    public void A_request_of_JSON_allocates_nothing_after_warm_up()
    {
        byte[] body =
            Encoding.UTF8.GetBytes("""{"inputs":[{"name":"in","shape":[2,3],"datatype":"FP32","data":[[1,2.5,3],[4,5,6e7]]}]}""");
        var request = new InMemoryRequest(RestServer.Models(), "matrix");
        Assert.That(Measure(request, body), Is.Zero);
        Assert.That(Encoding.UTF8.GetString(request.Answer), Does.EndWith("\"data\":[1,2.5,3,4,5,60000000]}]}"));
    }

    private static long Measure(InMemoryRequest request, byte[] body)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 200; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Task task = request.SendAsync(body);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.That(task.IsCompletedSuccessfully, Is.True);
        }

        return least;
    }

    /// <summary>What the test's own body of many buffers costs.</summary>
    private static long SegmentsAlone(byte[] body, int segmentBytes)
    {
        var reader = new BodyReader();
        reader.Set(body, segmentBytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        reader.Set(body, segmentBytes);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
