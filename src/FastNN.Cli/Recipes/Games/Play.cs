using System.Numerics.Tensors;

namespace FastNN.Cli.Recipes;

/// <summary>Episodes without learning.</summary>
internal static class Play
{
    /// <summary>The mean return of episodes in which the action with the highest score is taken.</summary>
    public static double MeanReturn(GameEnvironment environment, Predictor scores, int episodes, Random random)
    {
        var seen = new float[environment.ObservationSize];
        var values = new float[environment.Actions];
        double total = 0;
        for (int episode = 0; episode < episodes; episode++)
        {
            environment.Reset(random);
            bool over = false;
            while (!over)
            {
                environment.Observe(seen);
                scores.Predict(seen, values);
                (_, bool terminated, bool truncated) = environment.Step(TensorPrimitives.IndexOfMax(values));
                over = terminated || truncated;
            }

            total += environment.Return;
        }

        return total / episodes;
    }
}
