using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using FastNN.Cli.Serving;
using FastNN.Hosting.Security;
using FastNN.Hosting.Wire;
using FastNN.Testing;
using Google.Protobuf;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>A folder with the model "digits" of 6 inputs and 3 outputs, and calls over both protocols.</summary>
public abstract class ServeFixture : FolderFixture
{
    /// <summary>The folder of models.</summary>
    private protected string Models => At("models");

    [SetUp]
    public void SaveModel()
    {
        Directory.CreateDirectory(At("models/digits/1"));
        Network().Save(At("models/digits/1/model.safetensors"));
    }

    private protected static Sequential Network()
    {
        var model = new Sequential(new Dense(5, Activation.ReLU), new Dense(3));
        model.Build(new Shape(6), seed: 1);
        return model;
    }

    /// <summary>What the model answers, computed without a server.</summary>
    private protected static float[] Expected(float[] x)
    {
        using var device = Device.Cpu(1);
        using Predictor predictor = Network().CreatePredictor(device);
        var y = new float[x.Length / 6 * 3];
        predictor.Predict(x, y);
        return y;
    }

    /// <summary>Settings of the command by its options.</summary>
    private protected ServeSettings Settings(params (string Name, string Value)[] options) => ServeSettings.Read(ServeValues.Read(
        new Dictionary<string, string?>(options.Select(option => KeyValuePair.Create(option.Name, (string?)option.Value)))
        {
            ["models"] = Models,
            ["port"] = "0",
            ["grpc-port"] = "0",
            ["threads"] = "1",
        },
        null,
        _ => null));

    /// <summary>Writes a file of keys named for their scopes joined by +, and gives the keys.</summary>
    private protected string[] WriteKeys(params string[] scopes)
    {
        var keys = new List<string>();
        var lines = new List<string>();
        foreach (string set in scopes)
        {
            (string key, string line) = ApiKeys.Create(set, set.Split('+'));
            keys.Add(key);
            lines.Add(line);
        }

        File.WriteAllLines(At("keys"), lines);
        return [.. keys];
    }

    private protected static HttpClient Client(Uri address, string? key = null, HttpMessageHandler? handler = null)
    {
        var client = new HttpClient(handler ?? new SocketsHttpHandler()) { BaseAddress = address };
        if (key is not null)
        {
            client.DefaultRequestHeaders.Add("X-API-Key", key);
        }

        return client;
    }

    /// <summary>Inference by REST.</summary>
    private protected static Task<HttpResponseMessage> InferAsync(HttpClient client, float[] x) =>
        client.PostAsJsonAsync("/v2/models/digits/infer", new
        {
            inputs = new[] { new { name = "input", datatype = "FP32", shape = new[] { x.Length / 6, 6 }, data = x } },
        });

    /// <summary>The elements of the first output of an answer by REST.</summary>
    private protected static async Task<float[]> OutputAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), text);
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("outputs")[0].GetProperty("data").EnumerateArray()
            .Select(number => number.GetSingle())];
    }

    /// <summary>A call by gRPC's wire format.</summary>
    private protected static async Task<(int Status, byte[] Message)> GrpcAsync(
        HttpClient client, string method, IMessage? message)
    {
        byte[] bytes = message?.ToByteArray() ?? [];
        var frame = new byte[5 + bytes.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes.Length);
        bytes.CopyTo(frame, 5);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, method.Contains('/') ? method : $"/inference.GRPCInferenceService/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame),
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using HttpResponseMessage response = await client.SendAsync(request);
        byte[] answer = await response.Content.ReadAsByteArrayAsync();
        string status = response.TrailingHeaders.TryGetValues("grpc-status", out IEnumerable<string>? trailing)
            ? trailing.Single()
            : response.Headers.GetValues("grpc-status").Single();
        return (int.Parse(status, System.Globalization.CultureInfo.InvariantCulture), answer.Length > 5 ? answer[5..] : []);
    }

    private protected static ModelInferRequest GrpcRequest(float[] x) => new()
    {
        ModelName = "digits",
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor { Name = "input", Datatype = "FP32", Shape = { x.Length / 6, 6 } },
        },
        RawInputContents = { ByteString.CopyFrom(MemoryMarshal.AsBytes(x.AsSpan())) },
    };
}
