using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;

namespace FastNN.Onnx.Tests.Native;

/// <summary>The sample of docs/native-aot.md: its size, its answers, and how soon it is there.</summary>
[Platform("Linux")]
internal sealed class NativeServerTests
{
    private const long MaxBytes = 10_000_000;

    // Ten times what is promised of an idle machine: here other tests run beside it.
    private static readonly TimeSpan MaxStart = TimeSpan.FromMilliseconds(500);

    private PublishedServer _server = null!;
    private string _model = null!;
    private float[] _expected = null!;

    [OneTimeSetUp]
    public void Publish()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !Avx2.IsSupported)
        {
            Assert.Ignore("the sample is built for x64 processors with AVX2");
        }

        _server = new PublishedServer();
        Assert.That(_server.Code, Is.Zero, _server.Log);
        _model = _server.At("mlp.onnx");
        Assert.That(FastNN.Cli.Program.Run(["onnx", "export", "mnist-mlp", _model], TextWriter.Null, TextWriter.Null), Is.Zero);
        OnnxTensor image = Build.Random(7, 1, 1, 28, 28);
        NumpyFile.Write(_server.At("image.npy"), image);
        using OnnxModel model = OnnxModel.Load(_model);
        using var device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        OnnxTensor[] outputs = session.CreateOutputs(image);
        session.Run([image], outputs);
        _expected = outputs[0].Floats();
    }

    [OneTimeTearDown]
    public void Remove() => _server?.Dispose();

    [Test]
    public void It_is_small_and_no_warning_is_given()
    {
        Assert.That(_server.Log, Does.Not.Contain("warning"));
        Assert.That(new FileInfo(_server.Program).Length, Is.LessThanOrEqualTo(MaxBytes));
        TestContext.Out.WriteLine($"{new FileInfo(_server.Program).Length} bytes");
    }

    [Test]
    public void One_answer_is_printed()
    {
        (int code, string output, string error) = _server.Run(_model, _server.At("image.npy"));
        Assert.That((code, error), Is.EqualTo((0, "")));
        RequireExpected(Floats(output));
    }

    [Test]
    public void Arrays_and_JSON_are_answered_over_HTTP()
    {
        using var running = new Running(_server, _model);
        byte[] image = File.ReadAllBytes(_server.At("image.npy"));
        Assert.That(
            running.Client.GetStringAsync("/").Result,
            Is.EqualTo("input: FLOAT[batch, 1, 28, 28] -> output: FLOAT[batch, 10]\n"));
        for (int i = 0; i < 3; i++)
        {
            (HttpStatusCode status, byte[] body) = running.Post(new ByteArrayContent(image));
            Assert.That(status, Is.EqualTo(HttpStatusCode.OK));
            using var stream = new MemoryStream(body);
            RequireExpected(NumpyFile.Read(stream).Floats());
        }

        running.Client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        RequireExpected(Floats(running.PostText(new ByteArrayContent(image)).Text));
        Assert.That(running.End(), Is.Zero);
    }

    [Test]
    public void Bad_requests_are_told_what_is_wrong_and_harm_nobody()
    {
        using var running = new Running(_server, _model);
        using (var wide = new MemoryStream())
        {
            NumpyFile.Write(wide, Build.Random(1, 1, 1, 28, 29));
            (HttpStatusCode status, string text) = running.PostText(new ByteArrayContent(wide.ToArray()));
            Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(text, Does.Contain("expected inputs input: FLOAT[batch, 1, 28, 28]").And.Contain("FLOAT[1, 1, 28, 29]"));
        }

        byte[] image = File.ReadAllBytes(_server.At("image.npy"));
        foreach (byte[] bytes in (byte[][])[[], "hello"u8.ToArray(), image[..^1], [.. image, 0]])
        {
            (HttpStatusCode status, string text) = running.PostText(new ByteArrayContent(bytes));
            Assert.That(status, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(text, Does.Contain("the body").And.Contain("expected"));
        }

        var unknown = new StreamContent(new MemoryStream(image));
        running.Client.DefaultRequestHeaders.TransferEncodingChunked = true;
        Assert.That(running.PostText(unknown).Status, Is.EqualTo(HttpStatusCode.LengthRequired));
        running.Client.DefaultRequestHeaders.TransferEncodingChunked = false;
        Assert.That(running.Send("POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n"), Does.StartWith("HTTP/1.1 413 "));
        Assert.That(running.Send("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That(running.Send($"GET /{new string('x', 1 << 15)}"), Does.StartWith("HTTP/1.1 431 "));
        Assert.That(running.Send("hello\r\n\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That(running.Send("GET /nowhere HTTP/1.1\r\n\r\n"), Does.StartWith("HTTP/1.1 404 "));
        Assert.That(running.Post(new ByteArrayContent(image)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(running.End(), Is.Zero);
    }

    [Test]
    public void A_bad_start_is_told()
    {
        (int code, _, string error) = _server.Run();
        Assert.That(code, Is.EqualTo(2));
        Assert.That(error, Does.StartWith("usage: digits-server MODEL.onnx"));
        (code, _, error) = _server.Run(_server.At("nothing.onnx"));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.StartWith("digits-server: ").And.Contain("nothing.onnx"));
        (code, _, error) = _server.Run(_server.At("image.npy"), _server.At("image.npy"));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(error, Does.StartWith("digits-server: ").And.Contain("image.npy"));
    }

    [Test]
    public void It_answers_soon_after_its_start()
    {
        byte[] image = File.ReadAllBytes(_server.At("image.npy"));
        var times = new List<TimeSpan>();
        for (int i = 0; i < 9; i++)
        {
            long began = Stopwatch.GetTimestamp();
            using var running = new Running(_server, _model);
            Assert.That(running.Post(new ByteArrayContent(image)).Status, Is.EqualTo(HttpStatusCode.OK));
            times.Add(Stopwatch.GetElapsedTime(began));
        }

        times.Sort();
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"first answer after {times[4].TotalMilliseconds:F1} ms, the median of {times.Count}"));
        Assert.That(times[4], Is.LessThan(MaxStart));
    }

    private static float[] Floats(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.GetProperty("output")[0].EnumerateArray().Select(number => number.GetSingle())];
    }

    // The native code sums in vectors of 256 bits, this process perhaps of 512.
    private void RequireExpected(float[] actual) => Assert.That(actual, Is.EqualTo(_expected).Within(1e-5f));
}
