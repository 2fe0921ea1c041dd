using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace FastNN.Hosting.Security;

/// <summary>
/// Tells the log what goes into models: never the values. A fingerprint tells equal inputs from others and nothing else: its key
/// is made anew in every process, because without one, inputs of few possible values could be found out by trying them.
/// </summary>
internal sealed partial class InputLog(InputLogging mode, ILogger logger)
{
    private const int FingerprintBytes = 6;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>Whether anybody reads it.</summary>
    public bool IsEnabled => logger.IsEnabled(LogLevel.Information);

    /// <summary>Writes a call's line.</summary>
    /// <param name="model">The model.</param>
    /// <param name="call">The call, with its inputs set.</param>
    /// <param name="shapes">Extents by input; null where it was not set.</param>
    public void Write(IModel model, ModelCall call, int[]?[] shapes)
    {
        var text = new StringBuilder();
        for (int i = 0; i < shapes.Length; i++)
        {
            if (shapes[i] is not { } shape)
            {
                continue;
            }

            ModelTensor input = model.Inputs[i];
            text.Append(text.Length == 0 ? "" : ", ").Append(input.Name).Append(' ').Append(input.DataType)
                .Append(CultureInfo.InvariantCulture, $" [{string.Join(',', shape)}]");
            if (mode == InputLogging.Redacted && call is ServedCall served)
            {
                text.Append(" #").Append(Fingerprint(served.Input(i).Bytes));
            }
        }

        LogInputs(model.Name, call.Version, text.ToString());
    }

    private string Fingerprint(ReadOnlySpan<byte> elements)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, elements, hash);
        return Convert.ToHexStringLower(hash[..FingerprintBytes]);
    }

    [LoggerMessage(30, LogLevel.Information, "Inference of model {Model}, version {Version}: {Inputs}")]
    private partial void LogInputs(string model, string version, string inputs);
}
