namespace FastNN.Cli.Recipes;

/// <summary>
/// A task with its data, the training that is known to work for it, and an outcome that a run is judged by. Most train one
/// network on examples with targets (<see cref="SupervisedRecipe"/>); the others are programs of their own
/// (<see cref="ScriptedRecipe"/>).
/// </summary>
internal abstract class Recipe
{
    /// <summary>What the command line calls it.</summary>
    public abstract string Name { get; }

    /// <summary>The layers, for people.</summary>
    public abstract string Network { get; }

    /// <summary>The data, for people.</summary>
    public abstract string DataDescription { get; }

    /// <summary>The training, for people.</summary>
    public abstract string TrainingDescription { get; }

    /// <summary>What the defaults reach.</summary>
    public abstract Goal Goal { get; }

    /// <summary>What --quick reaches: enough to see that the network learns.</summary>
    public abstract Goal QuickGoal { get; }
}
