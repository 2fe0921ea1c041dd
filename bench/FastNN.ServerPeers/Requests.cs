using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;

namespace FastNN.ServerPeers;

/// <summary>A request's body and the headers that go with it.</summary>
/// <param name="Path">Where it is posted.</param>
/// <param name="ContentType">Its type.</param>
/// <param name="HeaderLength">Bytes of JSON before the binary data; null for a body without any.</param>
/// <param name="Bytes">The body.</param>
internal sealed record Body(string Path, string ContentType, int? HeaderLength, byte[] Bytes)
{
    /// <summary>The same bytes for the endpoint that sends them back.</summary>
    public Body ToEcho => this with { Path = "/echo" };

    /// <summary>The whole request of HTTP/1.1.</summary>
    public byte[] ToHttp1()
    {
        string headers = $"POST {Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {ContentType}\r\n"
            + (HeaderLength is { } length ? $"Inference-Header-Content-Length: {length}\r\n" : "")
            + $"Content-Length: {Bytes.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(headers), .. Bytes];
    }

    /// <summary>Posts it by .NET's client.</summary>
    public async Task<(int Status, byte[] Answer)> PostAsync(HttpClient client, Version version)
    {
        using var content = new ByteArrayContent(Bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(ContentType);
        using var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (HeaderLength is { } length)
        {
            request.Headers.Add("Inference-Header-Content-Length", Report.Text($"{length}"));
        }

        if (version == HttpVersion.Version20)
        {
            request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        }

        using HttpResponseMessage answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsByteArrayAsync());
    }
}

/// <summary>Makes requests of one example, of one input named <c>input</c>, in the forms of the protocol.</summary>
internal static class Requests
{
    public const string GrpcPath = "/inference.GRPCInferenceService/ModelInfer";

    public static Body Binary(string model, float[] example)
    {
        byte[] elements = MemoryMarshal.AsBytes(example.AsSpan()).ToArray();
        byte[] json = Encoding.ASCII.GetBytes(
            $$"""{"inputs":[{"name":"input","shape":[1,{{example.Length}}],"datatype":"FP32","parameters":{"binary_data_size":"""
            + elements.Length.ToString(CultureInfo.InvariantCulture) + """}}],"parameters":{"binary_data_output":true}}""");
        return new Body(Rest(model), "application/octet-stream", json.Length, [.. json, .. elements]);
    }

    public static Body Json(string model, float[] example)
    {
        string data = string.Join(',', example.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
        return new Body(Rest(model), "application/json", null, Encoding.ASCII.GetBytes(
            $$"""{"inputs":[{"name":"input","shape":[1,{{example.Length}}],"datatype":"FP32","data":[{{data}}]}]}"""));
    }

    /// <summary>A message of gRPC with its five bytes of prefix.</summary>
    public static Body Grpc(string model, float[] example)
    {
        using var stream = new MemoryStream();
        using (var message = new CodedOutputStream(stream, leaveOpen: true))
        {
            message.WriteRawTag(1 << 3 | 2);
            message.WriteString(model);
            message.WriteRawTag(5 << 3 | 2);
            message.WriteBytes(GrpcInput(example.Length));
            message.WriteRawTag(7 << 3 | 2);
            message.WriteBytes(ByteString.CopyFrom(MemoryMarshal.AsBytes(example.AsSpan())));
        }

        byte[] bytes = [0, 0, 0, 0, 0, .. stream.ToArray()];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), bytes.Length - 5);
        return new Body(GrpcPath, "application/grpc", null, bytes);
    }

    /// <summary>The floats that end an answer: binary outputs of REST, and raw ones of gRPC.</summary>
    public static ReadOnlySpan<float> Tail(ReadOnlySpan<byte> answer, int count) =>
        answer.Length < count * sizeof(float)
            ? []
            : MemoryMarshal.Cast<byte, float>(answer[^(count * sizeof(float))..]);

    /// <summary>The elements of an answer in JSON.</summary>
    public static float[] JsonData(ReadOnlySpan<byte> answer)
    {
        using var document = System.Text.Json.JsonDocument.Parse(answer.ToArray());
        System.Text.Json.JsonElement data = document.RootElement.GetProperty("outputs")[0].GetProperty("data");
        return [.. data.EnumerateArray().Select(element => element.GetSingle())];
    }

    /// <summary>.NET's client, without limits of its own.</summary>
    public static HttpClient CreateClient(int port) =>
        new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

    private static string Rest(string model) => $"/v2/models/{model}/infer";

    private static ByteString GrpcInput(int width)
    {
        using var stream = new MemoryStream();
        using (var message = new CodedOutputStream(stream, leaveOpen: true))
        {
            message.WriteRawTag(1 << 3 | 2);
            message.WriteString("input");
            message.WriteRawTag(2 << 3 | 2);
            message.WriteString("FP32");
            message.WriteRawTag(3 << 3 | 2);
            message.WriteLength(1 + CodedOutputStream.ComputeInt64Size(width));
            message.WriteInt64(1);
            message.WriteInt64(width);
        }

        return ByteString.CopyFrom(stream.ToArray());
    }
}
