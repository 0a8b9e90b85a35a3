"""The Hugging Face Hub, for what git cannot say: the only room that imports huggingface_hub, and only when it is used.

``endpoint`` which Hub is meant · ``tokens`` finds what a person or a CI job has · ``wire`` makes one bounded exchange ·
``session`` requests, tried again where that is safe · ``links`` where an answer may lead · ``answers`` makes types of
JSON · ``failures`` makes a sentence and a next step of each error · ``client`` asks the Hub · ``content`` and ``large``
are about files there · ``model`` what it answers, as frozen values · ``space`` follows the build of a Space.
"""
