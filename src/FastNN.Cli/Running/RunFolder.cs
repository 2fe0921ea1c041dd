using FastNN.Cli.Reports;

namespace FastNN.Cli.Running;

/// <summary>
/// The folder of --out while a run writes to it: locked against a second run, and never with the files of two runs.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    public const string LockName = ".lock";

    private readonly string _path;
    private readonly bool _made;
    private readonly string[] _earlier;
    private readonly FileStream _lock;

    private RunFolder(string path, IEnumerable<string> files, bool continues, bool overwrite, bool resumable)
    {
        (_path, Continues) = (path, continues);
        _made = Outputs.PrepareFolder(path);
        _lock = Lock(path);
        try
        {
            _earlier = continues ? [] : [.. files.Where(File.Exists)];
            if (continues && overwrite)
            {
                throw Failure.OfUsage("--overwrite deletes the run in --out, which --resume continues; give one of the two");
            }

            if (_earlier.Length > 0 && !overwrite)
            {
                throw new CliException(
                    $"--out {path}: the folder holds an earlier run ({string.Join(", ", _earlier.Select(Path.GetFileName))}); "
                    + $"{(resumable ? "continue it with --resume, " : "")}delete it with --overwrite, or choose another folder");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether the run goes on with the one that the folder holds.</summary>
    public bool Continues { get; }

    /// <summary>Makes and locks the folder; null where the run keeps nothing.</summary>
    /// <exception cref="CliException">It cannot be written, another run is writing to it, or it holds an earlier run that is
    /// neither continued nor to be deleted.</exception>
    public static RunFolder? Open(RunSettings settings) => settings.Out is not { } path ? null : new RunFolder(
        path,
        [
            settings.WeightsPath!, settings.ModelPath!, settings.CheckpointPath!, settings.LogPath!, settings.ResultPath!,
            settings.PicturePath!, Path.Combine(path, RunReport.Name),
        ],
        settings.Resume is { } checkpoint && IsSame(checkpoint, settings.CheckpointPath!), settings.Overwrite, resumable: true);

    /// <summary>Makes and locks the folder for a run that keeps these files and cannot be continued.</summary>
    /// <inheritdoc cref="Open(RunSettings)"/>
    public static RunFolder? Open(string? path, IEnumerable<string> files, bool overwrite) => path is null ? null : new RunFolder(
        path, files.Append(RunReport.Name).Select(file => Path.Combine(path, file)), continues: false, overwrite,
        resumable: false);

    /// <summary>
    /// Deletes the files of an earlier run; to be called once everything that could stop the new one is checked.
    /// </summary>
    public void DeleteEarlierRun()
    {
        foreach (string file in _earlier)
        {
            File.Delete(file);
        }
    }

    /// <summary>Unlocks the folder, and removes it where this run made it and left nothing in it.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        // In a folder with results the lock file stays: to delete a file that another process may be about to lock would give two
        // of them a lock each.
        if (Directory.EnumerateFileSystemEntries(_path).All(entry => Path.GetFileName(entry) == LockName))
        {
            File.Delete(Path.Combine(_path, LockName));
            if (_made)
            {
                Directory.Delete(_path);
            }
        }
    }

    private static FileStream Lock(string folder)
    {
        try
        {
            // On Unix an advisory lock (flock), which the system takes away with the process, however that ends.
            return new FileStream(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException)
        {
            throw new CliException($"--out {folder}: no permission to write {LockName} there");
        }
        catch (IOException)
        {
            throw new CliException(
                $"--out {folder}: another run is writing to this folder; wait until it ends, or choose another folder");
        }
    }

    private static bool IsSame(string a, string b) => Path.GetFullPath(a) == Path.GetFullPath(b);
}
