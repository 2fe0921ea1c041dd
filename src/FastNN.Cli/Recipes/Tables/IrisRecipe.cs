using System.Numerics.Tensors;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>From a table of flowers to a prediction, by ten-fold cross-validation: the smallest whole example.</summary>
internal sealed class IrisRecipe : ScriptedRecipe
{
    private const int Folds = 10;

    public override string Name => "iris";

    public override string Network => "Dense 16 tanh, Dense 3, beside a linear model fitted by least squares";

    public override string DataDescription => "Fisher's iris, 150 flowers of 4 measures; ten-fold cross-validation";

    public override string TrainingDescription => "sparse cross-entropy, Adam 0.02, batch 15, 60 epochs";

    public override Goal Goal => new("test accuracy", 0.95);

    public override Goal QuickGoal => new("test accuracy", 0.9);

    public override IReadOnlyList<string> Files => ["model.safetensors"];

    public override double Run(ScriptRun run)
    {
        Dataset flowers = Iris.Load(run.Data, run.Say, run.Cancellation).Shuffle(seed: 0);
        int folds = run.Pick(Folds, 3);
        double right = 0, linear = 0;
        using ScriptPhase phase = run.Begin("folds", folds);
        for (int fold = 0; fold < folds; fold++)
        {
            int size = flowers.Count / folds;
            Dataset test = flowers.Skip(fold * size).Take(size);
            Dataset train = fold == 0 ? flowers.Skip(size)
                : fold == folds - 1 ? flowers.Take(fold * size)
                : flowers.Take(fold * size).Concat(flowers.Skip((fold + 1) * size));
            Standardizer standardizer = Standardizer.Fit(train);
            (Dataset raw, train, test) = (train, standardizer.Apply(train), standardizer.Apply(test));
            var model = new Sequential(new Dense(16, Activation.Tanh), new Dense(3));
            right += Train(run, model, Loss.SparseCrossEntropy, train, test) * size;
            linear += Train(run, new Sequential(new Dense(3)), Loss.MeanSquaredError, train.OneHot(), test.OneHot()) * size;
            if (fold == folds - 1)
            {
                run.Keep("model.safetensors", model, raw, standardizer);
            }

            phase.Step();
        }

        int tested = folds * (flowers.Count / folds);
        run.Figure("test accuracy of the linear model", linear / tested);
        run.Require(new Goal("gain over the linear model", 0.05), (right - linear) / tested);
        return right / tested;
    }

    private static double Train(ScriptRun run, Sequential model, Loss loss, Dataset train, Dataset test)
    {
        using var trainer = new Trainer(model, run.Device, loss, new Adam(0.02f), run.Seed);
        trainer.Fit(train, epochs: 60, batchSize: 15, cancellationToken: run.Cancellation);
        float[] scores = trainer.Predict(test);
        int right = 0;
        for (int i = 0; i < test.Count; i++)
        {
            right += TensorPrimitives.IndexOfMax(scores.AsSpan(i * 3, 3)) == test.LabelOf(i) ? 1 : 0;
        }

        return (double)right / test.Count;
    }
}
