using FastNN.Cli.Recipes;
using FastNN.Data;

namespace FastNN.Cli.Reports;

/// <summary>Where the time of forward passes goes, measured on a trained network.</summary>
internal static class OperatorTimes
{
    private const int Runs = 5;

    /// <summary>Measures a few passes of one batch; null on a GPU, whose kernels run later than they are launched, and where the
    /// test data has no whole batch.</summary>
    public static SessionProfile? Measure(Layer model, Device device, Dataset data, SupervisedRecipe recipe, int batch)
    {
        if (device.Kind != "cpu" || data.Count < batch)
        {
            return null;
        }

        using var loader = new DataLoader(data, batch, shuffle: false, dropLast: true);
        loader.StartEpoch(1);
        loader.TryNext(out Batch first);
        float[] x = first.Features.ToArray();
        using Session session = model.CreateSession(device, new SessionOptions { ApplyPreprocessing = false });
        if (session.Inputs.Count != 1 || session.Outputs.Count != 1)
        {
            return null;
        }

        void Pass()
        {
            using SessionRun run = session.Begin(recipe.ExampleShape.Prepend(batch));
            run.Write<float>(0, x);
            run.Compute();
        }

        // The first pass plans.
        Pass();
        return session.Profile(() =>
        {
            for (int i = 0; i < Runs; i++)
            {
                Pass();
            }
        });
    }
}
