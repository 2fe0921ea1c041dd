using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.ML.OnnxRuntime;
using RuntimeOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace FastNN.ServerPeers;

/// <summary>
/// ONNX Runtime in a minimal application, as one writes it in an hour: one session, the protocol's binary form read in the
/// plainest way, and an answer in the same form.
/// </summary>
internal static class PlainRuntime
{
    /// <summary>Why ONNX Runtime does not load here; null where it does.</summary>
    public static string? LoadFailure()
    {
        try
        {
            using var options = new RuntimeOptions();
            return null;
        }
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or BadImageFormatException)
        {
            return (error.InnerException ?? error).Message.Split('\n')[0];
        }
    }

    /// <summary>Maps the model.</summary>
    /// <param name="app">The application.</param>
    /// <param name="path">The ONNX file.</param>
    /// <param name="threads">Threads of a run; 0 for the default.</param>
    public static WebApplication Map(WebApplication app, string path, int threads)
    {
        var options = new RuntimeOptions();
        if (threads > 0)
        {
            options.IntraOpNumThreads = threads;
        }

        var session = new InferenceSession(path, options);
        string output = session.OutputNames[0];
        app.Lifetime.ApplicationStopped.Register(session.Dispose);
        app.MapPost("/v2/models/{model}/infer", (RequestDelegate)(http => InferAsync(http, session, output)));
        return app;
    }

    private static async Task InferAsync(HttpContext http, InferenceSession session, string outputName)
    {
        var body = new byte[(int)http.Request.ContentLength!.Value];
        await http.Request.Body.ReadExactlyAsync(body);
        int headerLength = int.Parse(
            http.Request.Headers["Inference-Header-Content-Length"].ToString(), CultureInfo.InvariantCulture);
        string name;
        long[] shape;
        using (JsonDocument header = JsonDocument.Parse(body.AsMemory(0, headerLength)))
        {
            JsonElement input = header.RootElement.GetProperty("inputs")[0];
            name = input.GetProperty("name").GetString()!;
            shape = [.. input.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt64())];
        }

        float[] values = MemoryMarshal.Cast<byte, float>(body.AsSpan(headerLength)).ToArray();
        using OrtValue tensor = OrtValue.CreateTensorValueFromMemory(values, shape);
        using var run = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, [name], [tensor], [outputName]);
        byte[] answer = Answer(http.Request.RouteValues["model"], outputName, outputs[0], out int jsonLength);
        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = answer.Length;
        http.Response.Headers["Inference-Header-Content-Length"] = jsonLength.ToString(CultureInfo.InvariantCulture);
        await http.Response.Body.WriteAsync(answer);
    }

    private static byte[] Answer(object? model, string name, OrtValue output, out int jsonLength)
    {
        ReadOnlySpan<byte> elements = MemoryMarshal.AsBytes(output.GetTensorDataAsSpan<float>());
        string shape = string.Join(',', output.GetTensorTypeAndShape().Shape);
        string binarySize = elements.Length.ToString(CultureInfo.InvariantCulture);
        byte[] json = Encoding.UTF8.GetBytes(
            $$"""{"model_name":"{{model}}","model_version":"1","outputs":[{"name":"{{name}}","datatype":"FP32","""
            + $"\"shape\":[{shape}],"
            + "\"parameters\":{\"binary_data_size\":" + binarySize + "}}]}");
        jsonLength = json.Length;
        return [.. json, .. elements];
    }
}
