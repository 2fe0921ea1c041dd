using System.Globalization;
using System.Numerics.Tensors;
using FastNN.Cli.Recipes;
using FastNN.Data;
using FastNN.Formats;

namespace FastNN.Cli.Reports;

/// <summary>A picture within a report.</summary>
internal sealed record ReportPicture(byte[] Png, string Caption, int Width);

/// <summary>The test images that a network is most wrong about.</summary>
internal static class Mistakes
{
    private const int Most = 16;
    private const int LargestSide = 128;

    /// <summary>
    /// The images of wrong predictions, the least probable actual class first; none where examples are not images of one class
    /// each.
    /// </summary>
    public static IReadOnlyList<ReportPicture> Find(
        Trainer trainer, Dataset test, SupervisedRecipe recipe, ConfusionMatrix? confusion)
    {
        Shape shape = recipe.ExampleShape;
        if (confusion is null || shape.Rank != 3 || shape[2] is not (1 or 3) || shape[0] > LargestSide || shape[1] > LargestSide
            || trainer.Loss is not CrossEntropyLoss loss)
        {
            return [];
        }

        float[] outputs = trainer.Predict(test);
        int classes = confusion.Classes;
        if (outputs.Length != (long)test.Count * classes)
        {
            return [];
        }

        var worst = new PriorityQueue<(float[] Image, string Caption), double>();
        using var loader = new DataLoader(test, batchSize: 256, shuffle: false);
        loader.StartEpoch(1);
        for (int at = 0; loader.TryNext(out Batch batch); at += batch.Count)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                float[] shares = Probabilities(outputs.AsSpan((at + i) * classes, classes), loss);
                int actual = batch.Labels.IsEmpty
                    ? TensorPrimitives.IndexOfMax(batch.Targets.Slice(i * classes, classes))
                    : batch.Labels[i];
                int predicted = TensorPrimitives.IndexOfMax<float>(shares);
                if (predicted == actual || (uint)actual >= (uint)classes)
                {
                    continue;
                }

                int size = (int)shape.Count;
                string caption = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{confusion.Names[actual]} taken for {confusion.Names[predicted]} ({100 * shares[predicted]:0} %)");
                // The queue gives up the most probable first.
                worst.Enqueue((batch.Features.Slice(i * size, size).ToArray(), caption), -shares[actual]);
                if (worst.Count > Most)
                {
                    worst.Dequeue();
                }
            }
        }

        var pictures = new List<ReportPicture>();
        while (worst.TryDequeue(out (float[] Image, string Caption) mistake, out _))
        {
            // Standardized images have values of any range.
            var grid = new ImageGrid { Padding = 0, Low = null, High = null };
            pictures.Add(new ReportPicture(grid.Encode(mistake.Image, shape.Prepend(1)), mistake.Caption, 112));
        }

        pictures.Reverse();
        return pictures;
    }

    private static float[] Probabilities(ReadOnlySpan<float> outputs, CrossEntropyLoss loss)
    {
        var shares = new float[outputs.Length];
        if (loss.FromProbabilities)
        {
            outputs.CopyTo(shares);
        }
        else
        {
            // Log-probabilities are logits too.
            TensorPrimitives.SoftMax(outputs, shares);
        }

        return shares;
    }
}
