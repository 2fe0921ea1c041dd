using System.Globalization;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>Holds the options against what they must be, when the service starts.</summary>
internal sealed class FastNNOptionsValidator : IValidateOptions<FastNNOptions>
{
    private static readonly string[] Devices = ["cpu", "cuda", "best"];

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, FastNNOptions options)
    {
        List<string> faults = [];
        if (!Devices.Contains(options.Device, StringComparer.Ordinal))
        {
            faults.Add($"Device: expected {string.Join(", ", Devices)}, got '{options.Device}'.");
        }

        Require(options.Threads is >= 0 and <= 128, "Threads", "0 to 128", options.Threads);
        Require(options.MaxExamples >= 1, "MaxExamples", "1 or more", options.MaxExamples);
        Require(options.WatchInterval >= TimeSpan.FromMilliseconds(10), "WatchInterval", "10 ms or more", options.WatchInterval);
        Require(options.DrainTimeout > TimeSpan.Zero, "DrainTimeout", "more than 0", options.DrainTimeout);
        RequireTimeout("CallTimeout", options.CallTimeout);
        RequireBatching("Batching", options.Batching);
        foreach ((string model, ModelOptions its) in options.Models)
        {
            string what = $"Model '{model}'";
            if (ModelName.Fault(model) is { } fault)
            {
                faults.Add($"{what}: {fault}.");
            }

            if (string.IsNullOrWhiteSpace(its.File))
            {
                faults.Add($"{what}: expected a file; call FromFile or FromSafetensors, or set File.");
            }
            else if (!ModelLoader.Extensions.Contains(Path.GetExtension(its.File), StringComparer.OrdinalIgnoreCase))
            {
                string extensions = string.Join(" or ", ModelLoader.Extensions);
                faults.Add($"{what}: expected a file that ends in {extensions}, got '{its.File}'.");
            }

            Require(its.MaxExamples is null or >= 1, $"{what}: MaxExamples", "1 or more", its.MaxExamples);
            RequireTimeout($"{what}: CallTimeout", its.CallTimeout);
            RequireBatching($"{what}: Batching", its.Batching);
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Require(bool holds, string what, string expected, object? got)
        {
            if (!holds)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{what}: expected {expected}, got {got}."));
            }
        }

        void RequireTimeout(string what, TimeSpan? timeout) => Require(
            timeout is null || ServingRules.IsTimeout(timeout.Value), what, "more than 0, or Timeout.InfiniteTimeSpan", timeout);

        void RequireBatching(string what, BatchingOptions? batching)
        {
            if (batching is not null && ServingRules.Fault(batching) is { } fault)
            {
                faults.Add($"{what}: {fault}");
            }
        }
    }
}
