using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FastNN.Hosting.Tests.Models;
using FastNN.Hosting.Wire;
using FastNN.Onnx;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Rest;

/// <summary>
/// An ONNX file from a folder of models, through a web server, in every form that a request and its answer have.
/// </summary>
public sealed class ServedModelTests : ServingFixture
{
    [Test]
    public async Task Every_form_of_request_gets_what_a_session_computes([Values(1, 3)] int rows)
    {
        ExportMlp("models/mlp/3/model.onnx", seed: 5);
        float[] x = Inputs(rows);
        (string input, string output, float[] expected) = Computed(At("models/mlp/3/model.onnx"), x);
        await using WebServer server = await StartAsync("models");

        string json = $$"""
            {"inputs":[{"name":"{{input}}","shape":[{{rows}},6],"datatype":"FP32","data":{{JsonSerializer.Serialize(x)}}}]}
            """;
        float[] fromJson = await PostJsonAsync(server, json, output);
        float[] fromBinary = await PostBinaryAsync(server, x, input, output);
        float[] fromRaw = await CallAsync(server, x, input, output, raw: true);
        float[] fromTyped = await CallAsync(server, x, input, output, raw: false);
        Assert.Multiple(() =>
        {
            Assert.That(fromJson, Is.EqualTo(expected).Within(1e-6));
            Assert.That(fromBinary, Is.EqualTo(fromJson));
            Assert.That(fromRaw, Is.EqualTo(fromJson));
            Assert.That(fromTyped, Is.EqualTo(fromJson));
        });
    }

    [Test]
    public async Task Texts_and_whole_numbers_come_back_over_both()
    {
        OnnxFiles.Write(At("join.onnx"), ("StringConcat", ["a", "b"], "c"), OnnxElementType.String, ["n", "2"]);
        OnnxFiles.Write(At("sum.onnx"), ("Add", ["a", "b"], "c"), OnnxElementType.Int32, ["n", "2"]);
        await using WebServer server = await WebServer.StartAsync(services => services.AddFastNN(Quiet)
            .AddModel("join", options => options.FromFile("join.onnx"))
            .AddModel("sum", options => options.FromFile("sum.onnx")), folder: Folder);

        string texts = await PostAsync(server, "join", """
            {"inputs":[{"name":"a","shape":[1,2],"datatype":"BYTES","data":["x","привет"]},
            {"name":"b","shape":[1,2],"datatype":"BYTES","data":["","!"]}]}
            """);
        string sums = await PostAsync(server, "sum", """
            {"inputs":[{"name":"a","shape":[1,2],"datatype":"INT32","data":[1,-2147483648]},
            {"name":"b","shape":[1,2],"datatype":"INT32","data":[[2,0]]}]}
            """);
        ModelInferResponse joined = await server.Call<ModelInferResponse>(new ModelInferRequest
        {
            ModelName = "join",
            Inputs =
            {
                Filled("a", "BYTES", new InferTensorContents { BytesContents = { Utf8("x"), Utf8("привет") } }),
                Filled("b", "BYTES", new InferTensorContents { BytesContents = { Utf8(""), Utf8("!") } }),
            },
        });
        ModelInferResponse added = await server.Call<ModelInferResponse>(new ModelInferRequest
        {
            ModelName = "sum",
            Inputs =
            {
                Filled("a", "INT32", new InferTensorContents { IntContents = { 1, int.MinValue } }),
                Filled("b", "INT32", new InferTensorContents { IntContents = { 2, 0 } }),
            },
        });
        Assert.Multiple(() =>
        {
            Assert.That(Texts(texts), Is.EqualTo(new[] { "x", "привет!" }));
            Assert.That(sums, Does.EndWith("""{"name":"c","datatype":"INT32","shape":[1,2],"data":[3,-2147483648]}]}"""));
            Assert.That(
                joined.RawOutputContents[0],
                Is.EqualTo(ByteString.CopyFrom([1, 0, 0, 0, .. "x"u8, 13, 0, 0, 0, .. "привет!"u8])));
            Assert.That(added.RawOutputContents[0], Is.EqualTo(Rpc.Messages.Raw(3, int.MinValue)));
        });
    }

    [Test]
    public async Task The_repository_loads_unloads_and_counts_over_both()
    {
        ExportMlp("models/mlp/3/model.onnx", seed: 5);
        await using WebServer server = await StartAsync("models");
        float[] x = Inputs(2);
        (string input, string output, _) = Computed(At("models/mlp/3/model.onnx"), x);
        _ = await CallAsync(server, x, input, output, raw: true);
        ModelStatisticsResponse statistics =
            await server.Call<ModelStatisticsResponse>(new ModelStatisticsRequest { Name = "mlp" });
        string stats = await server.Http.GetStringAsync(new Uri("v2/models/mlp/stats", UriKind.Relative));
        await server.Call<RepositoryModelUnloadResponse>(new RepositoryModelUnloadRequest { ModelName = "mlp" });
        string after = await IndexAsync(server);
        using (HttpResponseMessage load = await server.Http.PostAsync(
            new Uri("v2/repository/models/mlp/load", UriKind.Relative), new StringContent("{}")))
        {
            load.EnsureSuccessStatusCode();
        }

        RepositoryIndexResponse index = await server.Call<RepositoryIndexResponse>(new RepositoryIndexRequest());
        Assert.Multiple(() =>
        {
            Assert.That(statistics.ModelStats.Single().InferenceCount, Is.EqualTo(2));
            Assert.That(stats, Does.Contain("\"inference_count\":2,\"execution_count\":1"));
            Assert.That(after, Does.Contain("\"name\":\"mlp\"").And.Contain("\"state\":\"UNAVAILABLE\""));
            Assert.That(index.Models.Select(model => (model.Name, model.Version, model.State)),
                Is.EqualTo(new[] { ("mlp", "3", "READY") }));
        });
    }

    /// <summary>
    /// Any model of rows of floats, as a trained one from elsewhere: the file's path comes from the environment.
    /// </summary>
    [Test]
    [Explicit("needs the path of an ONNX file in FASTNN_SERVED_MODEL")]
    public async Task A_trained_model_answers_alike_in_every_form()
    {
        string path = Environment.GetEnvironmentVariable("FASTNN_SERVED_MODEL") ?? "";
        Assume.That(path, Does.Exist);
        Directory.CreateDirectory(At("models/mlp/1"));
        File.Copy(path, At("models/mlp/1/model.onnx"));
        await using WebServer server = await StartAsync("models");
        ModelTensor tensor = server.Services.GetRequiredService<IModelCatalog>().Find("mlp", null).Inputs.Single();
        int[] row = [.. tensor.Dimensions.Skip(1)];
        int count = row.Aggregate(1, (product, extent) => product * extent);
        var random = new Random(2);
        for (int i = 0; i < 50; i++)
        {
            int rows = 1 + (i % 5);
            float[] x = [.. Enumerable.Range(0, rows * count).Select(_ => random.NextSingle())];
            (string input, string output, float[] expected) = Computed(path, x, row);
            float[] fromBinary = await PostBinaryAsync(server, x, input, output, row);
            Assert.Multiple(async () =>
            {
                Assert.That(fromBinary, Is.EqualTo(expected).Within(1e-5));
                Assert.That(await CallAsync(server, x, input, output, raw: true, row), Is.EqualTo(fromBinary));
                Assert.That(await CallAsync(server, x, input, output, raw: false, row), Is.EqualTo(fromBinary));
            });
        }
    }

    private static void Quiet(FastNNOptions options) => (options.Threads, options.WatchFiles) = (1, false);

    private Task<WebServer> StartAsync(string models) => WebServer.StartAsync(
        services => services.AddFastNN(options =>
        {
            Quiet(options);
            options.FromFolder(models);
        }),
        options => options.RepositoryControl = true,
        folder: Folder);

    /// <summary>What a session of the file answers, and the names of its input and output.</summary>
    private static (string Input, string Output, float[] Y) Computed(string path, float[] x, int[]? row = null)
    {
        row ??= [6];
        using OnnxModel model = OnnxModel.Load(path);
        using var device = Device.Cpu(1);
        using OnnxSession session = model.Compile(device);
        string input = model.Inputs[0].Name;
        int rows = x.Length / row.Aggregate(1, (product, extent) => product * extent);
        var results = session.Run(new Dictionary<string, OnnxValue> { [input] = OnnxTensor.Create(x, [rows, .. row]) });
        return (input, model.Outputs[0].Name, ((OnnxTensor)results[0]!).Values<float>().ToArray());
    }

    private static async Task<float[]> PostJsonAsync(WebServer server, string json, string output)
    {
        using JsonDocument answer = JsonDocument.Parse(await PostAsync(server, "mlp", json));
        JsonElement tensor = answer.RootElement.GetProperty("outputs").EnumerateArray().Single();
        Assert.That(tensor.GetProperty("name").GetString(), Is.EqualTo(output));
        return [.. tensor.GetProperty("data").EnumerateArray().Select(value => value.GetSingle())];
    }

    private static async Task<string> PostAsync(WebServer server, string model, string json)
    {
        using HttpResponseMessage answer = await server.Http.PostAsync(
            new Uri($"v2/models/{model}/infer", UriKind.Relative), new StringContent(json, Encoding.UTF8, "application/json"));
        string text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, text);
        return text;
    }

    private static async Task<float[]> PostBinaryAsync(
        WebServer server, float[] x, string input, string output, int[]? row = null)
    {
        row ??= [6];
        int rows = x.Length / row.Aggregate(1, (product, extent) => product * extent);
        byte[] head = Encoding.UTF8.GetBytes(
            $$"""{"parameters":{"binary_data_output":true},"inputs":[{"name":"{{input}}","shape":[{{rows}},""" +
            $$"""{{string.Join(',', row)}}],"datatype":"FP32","parameters":{"binary_data_size":{{4 * x.Length}} } }]}""");
        using var content = new ByteArrayContent([.. head, .. MemoryMarshal.AsBytes(x.AsSpan())]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        content.Headers.Add("Inference-Header-Content-Length", $"{head.Length}");
        using HttpResponseMessage answer = await server.Http.PostAsync(new Uri("v2/models/mlp/infer", UriKind.Relative), content);
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        Assert.That(answer.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        int length = int.Parse(
            answer.Headers.GetValues("Inference-Header-Content-Length").Single(),
            System.Globalization.CultureInfo.InvariantCulture);
        Assert.That(Encoding.UTF8.GetString(body, 0, length), Does.Contain($"\"name\":\"{output}\""));
        return MemoryMarshal.Cast<byte, float>(body.AsSpan(length)).ToArray();
    }

    private static async Task<float[]> CallAsync(
        WebServer server, float[] x, string input, string output, bool raw, int[]? row = null)
    {
        row ??= [6];
        int rows = x.Length / row.Aggregate(1, (product, extent) => product * extent);
        var request = new ModelInferRequest
        {
            ModelName = "mlp",
            Inputs = { Rpc.Messages.Input(input, "FP32", [rows, .. row.Select(extent => (long)extent)]) },
            Outputs = { new ModelInferRequest.Types.InferRequestedOutputTensor { Name = output } },
        };
        if (raw)
        {
            request.RawInputContents.Add(Rpc.Messages.Raw(x));
        }
        else
        {
            request.Inputs[0].Contents = new InferTensorContents { Fp32Contents = { x } };
        }

        ModelInferResponse answer = await server.Call<ModelInferResponse>(request);
        return MemoryMarshal.Cast<byte, float>(answer.RawOutputContents.Single().Span).ToArray();
    }

    private static ModelInferRequest.Types.InferInputTensor Filled(string name, string type, InferTensorContents contents)
    {
        ModelInferRequest.Types.InferInputTensor input = Rpc.Messages.Input(name, type, 1, 2);
        input.Contents = contents;
        return input;
    }

    private static ByteString Utf8(string text) => ByteString.CopyFromUtf8(text);

    private static string?[] Texts(string json)
    {
        using JsonDocument answer = JsonDocument.Parse(json);
        return
        [
            .. answer.RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(text => text.GetString()),
        ];
    }

    private static async Task<string> IndexAsync(WebServer server)
    {
        using HttpResponseMessage answer = await server.Http.PostAsync(new Uri("v2/repository/index", UriKind.Relative), null);
        return await answer.Content.ReadAsStringAsync();
    }
}
