namespace FastNN.Cli.Recipes;

/// <summary>A task for an agent: observations, actions and rewards, in episodes.</summary>
internal abstract class GameEnvironment
{
    /// <summary>Numbers in an observation.</summary>
    public abstract int ObservationSize { get; }

    /// <summary>Actions are 0 to one less.</summary>
    public abstract int Actions { get; }

    /// <summary>
    /// An episode ends after so many steps; that is not the agent's fault, so values beyond the end still count.
    /// </summary>
    public abstract int MaxSteps { get; }

    /// <summary>Steps of the present episode.</summary>
    public int Steps { get; private set; }

    /// <summary>The sum of the present episode's rewards.</summary>
    public double Return { get; private set; }

    /// <summary>Begins an episode.</summary>
    public void Reset(Random random)
    {
        (Steps, Return) = (0, 0);
        Begin(random);
    }

    /// <summary>Takes an action.</summary>
    /// <returns>The reward, whether the episode ended by its rules, and whether it ran out of steps.</returns>
    public (float Reward, bool Terminated, bool Truncated) Step(int action)
    {
        if (action < 0 || action >= Actions)
        {
            throw new ArgumentOutOfRangeException(
                nameof(action), $"{GetType().Name}: expected an action from 0 to {Actions - 1}, got {action}");
        }

        (float reward, bool terminated) = Act(action);
        Steps++;
        Return += reward;
        return (reward, terminated, !terminated && Steps >= MaxSteps);
    }

    /// <summary>Writes what the agent sees.</summary>
    public abstract void Observe(Span<float> observation);

    protected abstract void Begin(Random random);

    protected abstract (float Reward, bool Terminated) Act(int action);
}
