namespace FastNN.Hosting;

/// <summary>A version of a model on the disk.</summary>
/// <param name="Number">The version.</param>
/// <param name="Path">The model's file.</param>
/// <param name="Stamp">What its files look like: names, lengths, times.</param>
/// <param name="IsWanted">Whether the model's policy asks for it.</param>
internal sealed record VersionFile(long Number, string Path, string Stamp, bool IsWanted);

/// <summary>Where the versions of one model come from.</summary>
internal abstract class ModelSource
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>Makes the network that the file has the weights of; null where the file itself says what it is.</summary>
    public Func<Layer>? Factory { get; init; }

    /// <summary>Whether the service is not to start without it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The file or folder, for the log.</summary>
    public abstract string Location { get; }

    /// <summary>The versions that are there, in any order; none where there is no file.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public abstract IReadOnlyList<VersionFile> Scan();

    /// <summary>How its versions are served.</summary>
    /// <exception cref="FileFormatException">The settings beside the model are malformed.</exception>
    public abstract ServingSettings Settings();
}

/// <summary>A model of one file, which is its version 1.</summary>
internal sealed class FileModelSource : ModelSource
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>How it is served.</summary>
    public required ServingSettings Serving { get; init; }

    /// <inheritdoc/>
    public override string Location => File;

    /// <inheritdoc/>
    public override IReadOnlyList<VersionFile> Scan() => System.IO.File.Exists(File)
        ? [new VersionFile(1, File, FileStamp.Of(File, File + ".data"), IsWanted: true)]
        : [];

    /// <inheritdoc/>
    public override ServingSettings Settings() => Serving;
}
