using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A recipe that is a program of its own: any number of models, optimizers and phases, such as adversaries, pre-training, or an
/// agent in its environment. It decides its own epochs and batches.
/// </summary>
internal abstract class ScriptedRecipe : Recipe
{
    /// <summary>The names of the files that a run with --out keeps beside its result.json.</summary>
    public virtual IReadOnlyList<string> Files => [];

    /// <summary>Runs all of it.</summary>
    /// <param name="run">The device, the seed, and where progress, figures and files go.</param>
    /// <returns>The value that <see cref="Recipe.Goal"/> is about, or <see cref="Recipe.QuickGoal"/> in a quick run.</returns>
    public abstract double Run(ScriptRun run);
}
