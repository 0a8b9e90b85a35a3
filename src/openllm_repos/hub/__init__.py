"""The Hugging Face Hub, for what git cannot say: the only room that imports huggingface_hub, and only when it is used.

``endpoint`` which Hub is meant · ``model`` what it answers, as frozen values · ``client`` asks it · ``failures`` makes one
sentence and a next step of each of its errors · ``tokens`` finds the tokens that a person or a CI job has · ``space``
follows the build of a Space.
"""
