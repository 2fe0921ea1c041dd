namespace FastNN.Data;

/// <summary>Puts a dataset into the cache in one step, so that nobody ever sees half of one.</summary>
internal static class CacheFolder
{
    /// <summary>
    /// Downloads into a folder of this process beside <paramref name="folder"/>, verifies the content and renames. Where
    /// another process was quicker, its copy stays and ours goes.
    /// </summary>
    /// <returns>What the dataset holds, in a line.</returns>
    public static string Fill(
        string folder, FetchedDataset dataset, Action<string>? progress, CancellationToken cancellationToken)
    {
        string root = Path.GetDirectoryName(folder)!;
        string own = Path.Combine(root, $".{dataset.Name}-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            Create(own, dataset, folder);
            try
            {
                dataset.Fetch(own, folder, progress, cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                string reason = e.Message.ReplaceLineEndings(" ");
                throw new DatasetFetchException(
                    dataset.Name, $"{dataset.Name}: {reason}; by hand: {dataset.Instructions(folder)}", e);
            }

            progress?.Invoke($"{dataset.Name}: checking");
            string description = dataset.Describe(new DatasetFolder(dataset, own, verify: true));
            Publish(own, folder, dataset);
            return description;
        }
        finally
        {
            Remove(own);
        }
    }

    private static void Create(string own, FetchedDataset dataset, string folder)
    {
        try
        {
            Directory.CreateDirectory(own);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetFetchException(dataset.Name,
                $"{dataset.Name}: cannot create '{folder}' ({e.Message.ReplaceLineEndings(" ")}); set FASTNN_DATA to a writable folder", e);
        }
    }

    // A rename onto a folder that exists fails, so one of several processes wins. An incomplete folder (files put there by hand,
    // or by an older version) is filled up file by file instead, each by a rename of its own.
    private static void Publish(string own, string folder, FetchedDataset dataset)
    {
        try
        {
            if (!Directory.Exists(folder))
            {
                Directory.Move(own, folder);
                return;
            }
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Another process came first; what it published may still lack nothing.
        }

        if (dataset.IsComplete(folder))
        {
            return;
        }

        foreach (string file in Directory.GetFiles(own))
        {
            File.Move(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }
    }

    private static void Remove(string own)
    {
        try
        {
            if (Directory.Exists(own))
            {
                Directory.Delete(own, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder left behind costs space and harms nobody; its name begins with a dot and is never read.
        }
    }
}
