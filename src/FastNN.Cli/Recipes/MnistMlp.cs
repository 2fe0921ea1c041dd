namespace FastNN.Cli.Recipes;

/// <summary>The smallest network that reads digits.</summary>
internal sealed class MnistMlp : MnistRecipe
{
    public override string Name => "mnist-mlp";

    public override string Network => "Flatten, Dense 64 ReLU, Dense 10";

    public override string TrainingDescription => "sparse cross-entropy, Adam 1e-3, batch 32, 10 epochs, validation split 0.2";

    public override Goal Goal => new("test accuracy", 0.970);

    public override Goal QuickGoal => new("test accuracy", 0.70);

    public override int Epochs => 10;

    public override int Batch => 32;

    public override double ValidationSplit => 0.2;

    public override Loss Loss => Loss.SparseCrossEntropy;

    public override Layer CreateModel() => new Sequential(new Flatten(), new Dense(64, Activation.ReLU), new Dense(10));
}
