using System.Text.Json.Serialization;

namespace FastNN.Cli.Running;

/// <summary>
/// What --json writes: each result's properties, in their order, under their names in camel case. Numbers that are not finite
/// become the strings "NaN", "Infinity" and "-Infinity", which JSON has no numbers for.
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(ScriptResult))]
[JsonSerializable(typeof(EvaluationResult))]
[JsonSerializable(typeof(PlanResult))]
[JsonSerializable(typeof(ProfileResult))]
[JsonSerializable(typeof(CpuProfileResult))]
[JsonSerializable(typeof(OverfitResult))]
internal sealed partial class ResultJson : JsonSerializerContext;
