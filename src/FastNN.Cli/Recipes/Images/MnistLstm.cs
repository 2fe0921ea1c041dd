namespace FastNN.Cli.Recipes;

/// <summary>Digits read row by row, from the top down, as a sequence of 28 steps.</summary>
internal sealed class MnistLstm : MnistRecipe
{
    public override string Name => "mnist-lstm";

    public override string Network => "LSTM 64 over the 28 rows, Dense 10 on its last state";

    public override string TrainingDescription =>
        "sparse cross-entropy, AdamW with one cycle up to 5e-3, gradients clipped to norm 1, batch 64, 6 epochs";

    public override Goal Goal => new("test accuracy", 0.985);

    public override Goal QuickGoal => new("test accuracy", 0.80);

    public override int Epochs => 6;

    public override int Batch => 64;

    public override float LearningRate => 5e-3f;

    public override (int Epochs, int Limit) Quick => (2, 6400);

    public override Loss Loss => Loss.SparseCrossEntropy;

    public override Layer CreateModel() => new Sequential(
        new Reshape([28, 28]), new Lstm(64) { ReturnSequences = false }, new Dense(10));

    public override Optimizer CreateOptimizer(float learningRate, int steps) => new AdamW(learningRate)
    {
        Schedule = Schedule.OneCycle(learningRate, steps),
        ClipNorm = 1,
    };
}
