using System.Text.Json;

namespace TumorService;

/// <summary>What a client of the service does.</summary>
internal static class Trial
{
    // A benign tumor of the Wisconsin table.
    private static readonly float[] _measurements =
        [
            13.54f, 14.36f, 87.46f, 566.3f, 0.09779f, 0.08129f, 0.06664f, 0.04781f, 0.1885f, 0.05766f,
            0.2699f, 0.7886f, 2.058f, 23.56f, 0.008462f, 0.0146f, 0.02387f, 0.01315f, 0.0198f, 0.0023f,
            15.11f, 19.26f, 99.7f, 711.2f, 0.144f, 0.1773f, 0.239f, 0.1288f, 0.2977f, 0.07259f];

    public static async Task RunAsync(Uri address, TextWriter output)
    {
        using var client = new HttpClient { BaseAddress = address };
        using HttpResponseMessage diagnosis = await client.PostAsJsonAsync("/diagnosis", _measurements);
        JsonElement answer = await ReadAsync(diagnosis);
        await output.WriteLineAsync($"/diagnosis: {answer.GetProperty("label")}");

        var input = new { name = "input", datatype = "FP32", shape = (int[])[1, _measurements.Length], data = _measurements };
        var request = new { inputs = new[] { input } };
        using HttpResponseMessage inference = await client.PostAsJsonAsync("/v2/models/tumors/infer", request);
        JsonElement tensor = (await ReadAsync(inference)).GetProperty("outputs")[0];
        await output.WriteLineAsync($"/v2/models/tumors/infer: {tensor.GetProperty("datatype")} {tensor.GetProperty("shape")}");

        using HttpResponseMessage wrong = await client.PostAsJsonAsync("/v2/models/lungs/infer", request);
        await output.WriteLineAsync($"/v2/models/lungs/infer: {(int)wrong.StatusCode}");
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement.Clone()
            : throw new HttpRequestException($"{response.RequestMessage?.RequestUri}: {(int)response.StatusCode}: {text}");
    }
}
