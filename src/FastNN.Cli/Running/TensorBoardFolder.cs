using FastNN.Data;

namespace FastNN.Cli.Running;

/// <summary>The folder of --tensorboard: one run's event files, and that of its validation data within it.</summary>
internal static class TensorBoardFolder
{
    private const string Pattern = "events.out.tfevents.*";

    /// <summary>The event files that a new run would be mixed up with.</summary>
    /// <exception cref="CliException">There are some, and they are neither continued nor to be deleted.</exception>
    public static string[] EarlierRun(string folder, bool resumes, bool overwrite)
    {
        if (File.Exists(folder))
        {
            throw new CliException($"--tensorboard {folder}: that is a file, not a folder");
        }

        if (resumes || !Directory.Exists(folder))
        {
            return [];
        }

        string validation = Path.Combine(folder, "validation");
        string[] files =
        [
            .. Directory.GetFiles(folder, Pattern),
            .. Directory.Exists(validation) ? Directory.GetFiles(validation, Pattern) : [],
        ];
        return files.Length == 0 || overwrite
            ? files
            : throw new CliException(
                $"--tensorboard {folder}: the folder holds an earlier run, whose curves would be mixed with this one's; delete it with --overwrite, or choose another folder");
    }

    public static void Delete(string[] files)
    {
        foreach (string file in files)
        {
            File.Delete(file);
        }
    }
}

/// <summary>
/// Images for TensorBoard: the first training examples, as training begins, and after each epoch the filters of the
/// convolutions that see such images. What has no images writes none.
/// </summary>
internal sealed class TensorBoardImages(TensorBoardLog log, Dataset train) : Callback
{
    private const int Examples = 25;

    public override void OnTrainBegin(Trainer trainer)
    {
        Shape shape = new(train.ExampleShape);
        if (trainer.IsResuming || shape.Rank != 3 || shape[-1] is not (1 or 3 or 4))
        {
            return;
        }

        int count = Math.Min(Examples, train.Count);
        log.Writer!.AddImages(
            "examples", train.Take(count).Features(), shape.Prepend(count), trainer.StepCount,
            new Formats.ImageGrid { Low = null, High = null });
    }

    public override void OnEpochEnd(Trainer trainer, EpochResult result)
    {
        foreach ((string name, Parameter parameter) in trainer.Model.NamedParameters)
        {
            if (IsFilter(trainer.Model, parameter))
            {
                (float[] filters, Shape shape) = Filters(parameter);
                log.Writer!.AddImages(
                    $"filters/{name}", filters, shape, trainer.StepCount,
                    new Formats.ImageGrid { Low = null, High = null, Scale = 8 });
            }
        }
    }

    private static bool IsFilter(Layer layer, Parameter parameter) =>
        (layer is Conv2D convolution && convolution.Weight == parameter && parameter.Shape[2] is 1 or 3)
        || layer.Children.Any(child => IsFilter(child.Layer, parameter));

    /// <summary>[height, width, channels, filters] as images [filters, height, width, channels].</summary>
    private static (float[] Images, Shape Shape) Filters(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        int filters = parameter.Shape[3], size = values.Length / filters;
        var images = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            images[(i % filters * size) + (i / filters)] = values[i];
        }

        return (images, new Shape(filters, parameter.Shape[0], parameter.Shape[1], parameter.Shape[2]));
    }
}
