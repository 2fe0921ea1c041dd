using FastNN.Cli.Recipes;

namespace FastNN.Cli.Running;

/// <summary>What the command line asks for, the recipe's defaults filled in.</summary>
internal sealed record RunSettings
{
    public required SupervisedRecipe Recipe { get; init; }

    public required int Epochs { get; init; }

    public required int Batch { get; init; }

    public required float LearningRate { get; init; }

    public required ulong Seed { get; init; }

    public required int? Threads { get; init; }

    public required string Device { get; init; }

    public required string? Data { get; init; }

    public required int? Limit { get; init; }

    public required string? Out { get; init; }

    /// <summary>Whether this is the short form that shows that the network learns.</summary>
    public required bool Quick { get; init; }

    /// <summary>Whether a tenth of the training data takes the place of the test data.</summary>
    public required bool HoldOut { get; init; }

    /// <summary>Whether an earlier run in <see cref="Out"/> may be deleted.</summary>
    public required bool Overwrite { get; init; }

    public required string? Json { get; init; }

    /// <summary>The folder for TensorBoard's event files, or null.</summary>
    public string? TensorBoard { get; init; }

    /// <summary>Whether a step that fails is searched for the operator that made the first number that is not finite.</summary>
    public bool DetectAnomaly { get; init; }

    /// <summary>The checkpoint to go on from, or null.</summary>
    public required string? Resume { get; init; }

    public string? PicturePath => Out is null ? null : Path.Combine(Out, $"{Recipe.Name}.png");

    public string? WeightsPath => Out is null ? null : Path.Combine(Out, "weights.safetensors");

    public string? ModelPath => Out is null ? null : Path.Combine(Out, "model.safetensors");

    public string? CheckpointPath => Out is null ? null : CheckpointIn(Out);

    public string? ResultPath => Out is null ? null : Path.Combine(Out, ResultName);

    public string? LogPath => Out is null ? null : Path.Combine(Out, "log.csv");

    /// <summary>What a folder calls the file that --json writes.</summary>
    public const string ResultName = "result.json";

    public static string CheckpointIn(string folder) => Path.Combine(folder, "checkpoint.safetensors");
}
